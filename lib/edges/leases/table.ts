/** What the operations on the lease table have in common. */
import { awsErrorName, callAws } from '../../ground/aws.ts';
import { isFlashBladeError } from '../../ground/errors.ts';

const CHANGED = 'ConditionalCheckFailedException';

/** The one partition of the index of what is due. */
export const DUE = 'due';
export const READ = 'read the lease table';
/** What stands before the array's name in the id of the item that holds its slots. */
export const SLOTS_PREFIX = 'array#';

/** Makes a conditional call; false: its condition does not hold. Throws AWS_UNAVAILABLE, OUT_OF_TIME. */
export async function ifUnchanged(
  what: string,
  by: number,
  call: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
): Promise<boolean> {
  try {
    await callAws(call, { what, by, passed: [CHANGED] });
    return true;
  } catch (error) {
    if (!isFlashBladeError(error) && awsErrorName(error) === CHANGED) return false;
    throw error;
  }
}
