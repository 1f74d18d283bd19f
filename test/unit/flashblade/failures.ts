/** Helper: the error of a failed promise. */
import { FlashBladeError } from '../../../lib/core/errors.ts';

/** The FlashBladeError that the promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<FlashBladeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FlashBladeError) return error;
    throw error;
  }
  throw new Error('expected a failure');
}
