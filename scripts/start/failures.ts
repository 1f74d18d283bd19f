/** What went wrong, for people. */
import { maskApiTokens } from '../../lib/core/redact.ts';

/** Throws unless what a step saw is what it should see. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** The code, where there is one, and the message. A message can quote a path or a variable that is a misplaced API token. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'an unexpected error';
  return maskApiTokens(error.name === 'Error' ? error.message : `${error.name}: ${error.message}`, '<value>');
}
