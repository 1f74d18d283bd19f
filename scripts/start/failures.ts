/** What went wrong, for people. */

/** Throws unless what a step saw is what it should see. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** The code, where there is one, and the message. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'an unexpected error';
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
}
