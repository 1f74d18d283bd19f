/** What all AWS calls share: a bounded number of tries, a time limit, and errors that never quote input. */
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';
import { awsErrorName, explainAwsError, isRegionError } from './aws-error.ts';

/** The time limit for one AWS call, including its retries. */
export const AWS_CALL_MS = 2000;

/** Options for every AWS client. The timeouts leave time for a second try if a connection hangs. */
export const AWS_CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 700, requestTimeout: 900, throwOnRequestTimeout: true },
} as const;

/** The variable that names the lease table. */
export const TABLE_SETTING = 'LEASE_TABLE';
const CONDITION_FAILED = 'ConditionalCheckFailedException';

/**
 * Makes one AWS call that ends by `by` (epoch milliseconds). A process that was paused past `by` sends no request, unless the request was
 * already waiting for a connection. The SDK has no hook for that case. SDK errors are rethrown as `code`, with the AWS error's name and
 * status but without its message, which may quote input. `setting` is the variable that names the resource. Errors named in `passed` are thrown unchanged for the caller to handle.
 */
export async function callAws<Output>(
  call: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  about: { what: string; by: number; code?: ErrorCode; passed?: readonly string[]; setting?: string },
): Promise<Output> {
  // A deadline can include a fraction of a millisecond, but a timer cannot.
  const ms = Math.min(AWS_CALL_MS, Math.floor(about.by - Date.now()));
  if (ms <= 0) throw new FlashBladeError('OUT_OF_TIME', `no time was left to ${about.what}`);
  try {
    return await call({ abortSignal: timeUp(ms, about.by) });
  } catch (error) {
    if (about.passed?.includes(awsErrorName(error))) throw error;
    if (isRegionError(error)) {
      const advice = 'Set AWS_REGION to a region such as eu-central-1';
      throw new FlashBladeError('CONFIG_INVALID', `could not ${about.what}: no valid AWS region is set. ${advice}`);
    }
    const why = explainAwsError(error, { ms, setting: about.setting });
    throw new FlashBladeError(about.code ?? 'AWS_UNAVAILABLE', `could not ${about.what}: ${why}`);
  }
}

/** Makes one conditional DynamoDB call. Returns false if the condition is not met. Throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export async function ifUnchanged(
  what: string,
  by: number,
  call: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
): Promise<boolean> {
  try {
    await callAws(call, { what, by, passed: [CONDITION_FAILED], setting: TABLE_SETTING });
    return true;
  } catch (error) {
    if (awsErrorName(error) === CONDITION_FAILED) return false;
    throw error;
  }
}

// After a pause, the timer fires late, but the SDK reads `aborted` before it sends a request.
function timeUp(ms: number, by: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  const fired = (): boolean => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  return Object.defineProperty(signal, 'aborted', { get: () => fired() || Date.now() >= by });
}
