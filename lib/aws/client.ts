/** Makes AWS calls with limited retries, a time limit, and errors that never quote input. */
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';
import { AwsAgent } from './agent.ts';

/** The time limit for one AWS call, including its retries. */
export const AWS_CALL_MS = 2000;

const agent = new AwsAgent(700);

/**
 * Options for all AWS clients. The timeouts leave time for a second try if a connection hangs. `connectionTimeout` is a little longer than
 * the agent's own, because the agent knows what became of each address.
 */
export const AWS_CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { httpsAgent: agent, connectionTimeout: 750, requestTimeout: 900, throwOnRequestTimeout: true },
} as const;

const CONDITION_FAILED = 'ConditionalCheckFailedException';

/**
 * Makes one AWS call, which must finish by `by` (epoch milliseconds). If the process is paused past `by`, it sends no request when it
 * resumes, unless the request was already waiting for a connection. The SDK has no hook for that case. Converts SDK errors to a
 * FlashBladeError with `code` and the AWS error's name and status, but without its message, which may quote input. Rethrows errors named in
 * `passed` unchanged, for the caller to handle.
 */
export async function callAws<Output>(
  call: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  about: { what: string; by: number; code?: ErrorCode; passed?: readonly string[] },
): Promise<Output> {
  // Deadlines can be fractional, but AbortSignal.timeout accepts only whole milliseconds.
  const ms = Math.min(AWS_CALL_MS, Math.floor(about.by - Date.now()));
  if (ms <= 0) throw new FlashBladeError('OUT_OF_TIME', `no time was left to ${about.what}`);
  const startedAt = Date.now();
  try {
    return await call({ abortSignal: timeUp(ms, about.by) });
  } catch (error) {
    if (about.passed?.includes(awsErrorName(error))) throw error;
    throw new FlashBladeError(
      about.code ?? 'AWS_UNAVAILABLE',
      `could not ${about.what}: ${describe(error, ms, startedAt)}. Try again. If the call keeps failing, check the role and the configuration`,
    );
  }
}

/** Makes one conditional DynamoDB call. Returns false if the condition is not met. Throws AWS_UNAVAILABLE or OUT_OF_TIME. */
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

/** Returns an AWS error's name, such as `ThrottlingException`, or `Error` if the name is malformed. */
export function awsErrorName(error: unknown): string {
  const name = error instanceof Error ? error.name : 'Error';
  return /^[A-Za-z]{1,80}$/.test(name) ? name : 'Error';
}

// If the process is paused, the timer fires late. But the SDK reads `aborted` before it sends a request, so `aborted` also checks the
// clock.
function timeUp(ms: number, by: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  const fired = (): boolean => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  return Object.defineProperty(signal, 'aborted', { get: () => fired() || Date.now() >= by });
}

function describe(error: unknown, ms: number, startedAt: number): string {
  const name = awsErrorName(error);
  const tried = agent.triedSince(startedAt);
  if (name === 'AbortError' || name === 'TimeoutError') return `no response from AWS within ${ms} ms${tried}`;
  const status = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode;
  return typeof status === 'number' ? `AWS returned ${name} (${status})` : `AWS was unreachable (${name})${tried}`;
}
