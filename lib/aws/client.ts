/** What all AWS calls share: a bounded number of tries, a time limit, and errors that never quote input. */
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';

/** The time limit of one AWS call, its retries included. */
export const AWS_CALL_MS = 2000;

/** For the constructor of every AWS client. A hung connection leaves time for a second try. */
export const AWS_CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 700, requestTimeout: 900, throwOnRequestTimeout: true },
} as const;

const CONDITION_FAILED = 'ConditionalCheckFailedException';

/**
 * Makes one AWS call that ends at `by` (epoch milliseconds) at the latest. A process that was paused until after `by` sends no
 * request, unless one was already waiting for its connection: the SDK has no hook in between. Errors of the SDK become `code`, with the
 * name and status of the AWS error but without its message, which may quote input. Errors named in `passed` are thrown unchanged, for
 * the caller to judge.
 */
export async function callAws<Output>(
  call: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  about: { what: string; by: number; code?: ErrorCode; passed?: readonly string[] },
): Promise<Output> {
  // A deadline may be a fraction of a millisecond, a timer may not.
  const ms = Math.min(AWS_CALL_MS, Math.floor(about.by - Date.now()));
  if (ms <= 0) throw new FlashBladeError('OUT_OF_TIME', `no time was left to ${about.what}`);
  try {
    return await call({ abortSignal: timeUp(ms, about.by) });
  } catch (error) {
    if (about.passed?.includes(awsErrorName(error))) throw error;
    throw new FlashBladeError(
      about.code ?? 'AWS_UNAVAILABLE',
      `could not ${about.what}: ${describe(error, ms)}. Try again; if it keeps failing, check the role and the configuration`,
    );
  }
}

/** Makes one conditional DynamoDB call. Returns false if its condition does not hold. Throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export async function ifUnchanged(
  what: string,
  by: number,
  call: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
): Promise<boolean> {
  try {
    await callAws(call, { what, by, passed: [CONDITION_FAILED] });
    return true;
  } catch (error) {
    if (awsErrorName(error) === CONDITION_FAILED) return false;
    throw error;
  }
}

/** The name of an AWS error, such as `ThrottlingException`, or `Error` if it has characters that no such name has. */
export function awsErrorName(error: unknown): string {
  const name = error instanceof Error ? error.name : 'Error';
  return /^[A-Za-z]{1,80}$/.test(name) ? name : 'Error';
}

// In a process that was paused, the timer fires late; but the SDK reads `aborted` before it sends a request.
function timeUp(ms: number, by: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  const fired = (): boolean => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  return Object.defineProperty(signal, 'aborted', { get: () => fired() || Date.now() >= by });
}

function describe(error: unknown, ms: number): string {
  const name = awsErrorName(error);
  if (name === 'AbortError' || name === 'TimeoutError') return `no response from AWS within ${ms} ms`;
  const status = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode;
  return typeof status === 'number' ? `AWS returned ${name} (${status})` : `AWS was unreachable (${name})`;
}
