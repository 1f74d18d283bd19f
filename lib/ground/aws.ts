/** What every call of an AWS service has in common: few attempts, a time limit, and errors that quote nothing. */
import { type ErrorCode, FlashBladeError } from './errors.ts';

/** One AWS call, with its repetitions, takes no longer than this. */
export const AWS_CALL_MS = 2000;

/** For the constructor of any AWS client. A hung connection leaves time for a second attempt. */
export const AWS_CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 700, requestTimeout: 900, throwOnRequestTimeout: true },
} as const;

/**
 * Makes one AWS call that ends at `by` (epoch, ms) at the latest. A process that stood still sends no request after its time, unless
 * that waited for its connection already: the SDK lets nobody look at the time in between. Errors of the SDK become `code`, with the AWS error's name and
 * status but not its message, which may quote input. Those named in `passed` are thrown as they are, for the caller to judge.
 */
export async function callAws<Output>(
  call: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  about: { what: string; by: number; code?: ErrorCode; passed?: readonly string[] },
): Promise<Output> {
  // A deadline may have a fraction, the time of a signal may not.
  const ms = Math.min(AWS_CALL_MS, Math.floor(about.by - Date.now()));
  if (ms <= 0) throw new FlashBladeError('OUT_OF_TIME', `no time was left to ${about.what}`);
  try {
    return await call({ abortSignal: timeUp(ms, about.by) });
  } catch (error) {
    if (about.passed?.includes(awsErrorName(error))) throw error;
    throw new FlashBladeError(
      about.code ?? 'AWS_UNAVAILABLE',
      `could not ${about.what}: ${describe(error, ms)}; try again, and if it stays so, check role and configuration`,
    );
  }
}

/** Aborts after so long. Its timer is late in a process that stood still, but the SDK looks at `aborted` before it sends a request. */
function timeUp(ms: number, by: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  const rang = (): boolean => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  return Object.defineProperty(signal, 'aborted', { get: () => rang() || Date.now() >= by });
}

/** The name of an AWS error, as `ThrottlingException`; only characters that such names have. */
export function awsErrorName(error: unknown): string {
  const name = error instanceof Error ? error.name : 'Error';
  return /^[A-Za-z]{1,80}$/.test(name) ? name : 'Error';
}

function describe(error: unknown, ms: number): string {
  const name = awsErrorName(error);
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer from AWS within ${ms} ms`;
  const status = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode;
  return typeof status === 'number' ? `AWS answered ${name} (${status})` : `AWS was not reached (${name})`;
}
