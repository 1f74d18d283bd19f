/** Error messages for people. */
import { maskApiTokens } from '../../lib/core/redact.ts';

/** Throws an Error with this message unless the condition holds. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Returns the code, if there is one, and the message. A message can quote a path or a variable that is a misplaced API token. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'an unexpected error';
  return maskApiTokens(error.name === 'Error' ? error.message : `${error.name}: ${error.message}`, '<value>');
}
