/** An invocation's outcome: a result or an error. */
import type { CloseResult, Lease } from '../../../lib/index.ts';
import type { LambdaError, Outcome } from './environment.ts';

/**
 * Returns an invocation's result. Throws the function's error, named after its type, or an error named after the signal that ended
 * the process.
 */
export function resultOf<Result = Partial<Lease & CloseResult>>(outcome: Outcome): Result {
  if ('result' in outcome) return outcome.result as Result;
  if ('killed' in outcome) throw Object.assign(new Error("the function's process was ended"), { name: outcome.killed });
  const { errorType, errorMessage } = outcome.error;
  throw Object.assign(new Error(errorMessage), { name: errorType });
}

/** Returns an invocation's error. Throws if there is no error. */
export function errorOf(outcome: Outcome): LambdaError {
  if ('error' in outcome) return outcome.error;
  throw new Error(`No error, but ${JSON.stringify(outcome)}`);
}
