/** Creates and formats error messages for users. */
import { maskApiTokens } from '../../lib/core/redact.ts';

/** Throws an Error with the message `otherwise` unless the condition is true. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/**
 * Returns the error code, if any, and the message. Masks API tokens, because an error may quote a path or variable that contains a
 * misplaced token.
 */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'an unexpected error';
  return maskApiTokens(error.name === 'Error' ? error.message : `${error.name}: ${error.message}`, '<value>');
}
