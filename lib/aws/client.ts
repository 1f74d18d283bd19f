/** Makes AWS calls with limited retries, a time limit, and errors that never quote input. */
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';
import { AwsAgent } from './agent.ts';
import { awsErrorName, explainAwsError, isDenied, isRegionError } from './aws-error.ts';

/** The time limit for one AWS call, including its retries. */
export const AWS_CALL_MS = 2000;

const agent = new AwsAgent(700);

/**
 * Options for all AWS clients. The timeouts leave time for a second try if a connection hangs. `connectionTimeout` is slightly longer than
 * the agent's own limit, because only the agent knows the outcome for each address.
 */
export const AWS_CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { httpsAgent: agent, connectionTimeout: 750, requestTimeout: 900, throwOnRequestTimeout: true },
} as const;

/** The variable that names the lease table. */
export const TABLE_SETTING = 'LEASE_TABLE';
const CONDITION_FAILED = 'ConditionalCheckFailedException';

/**
 * Makes one AWS call, which must finish by `by` (epoch milliseconds). If the process is paused past `by`, the call sends no request when
 * the process resumes, unless the request was already waiting for a connection, because the SDK has no hook for that case. Converts an SDK
 * error to a FlashBladeError with `code` and the AWS error's name and status, but without the SDK's message, which may quote input.
 * Rethrows errors named in `passed` unchanged, so that the caller can handle them. `setting` is the variable that names the resource.
 */
export async function callAws<Output>(
  call: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  about: { what: string; by: number; code?: ErrorCode; passed?: readonly string[]; setting?: string },
): Promise<Output> {
  // Deadlines can be fractional, but AbortSignal.timeout accepts only whole milliseconds.
  const ms = Math.min(AWS_CALL_MS, Math.floor(about.by - Date.now()));
  if (ms <= 0) throw new FlashBladeError('OUT_OF_TIME', `no time was left to ${about.what}`);
  const startedAt = Date.now();
  try {
    return await call({ abortSignal: timeUp(ms, about.by) });
  } catch (error) {
    if (about.passed?.includes(awsErrorName(error))) throw error;
    if (isRegionError(error)) {
      const advice = 'Set AWS_REGION to a region such as eu-central-1';
      throw new FlashBladeError('CONFIG_INVALID', `could not ${about.what}: no valid AWS region is set. ${advice}`);
    }
    const why = explainAwsError(error, { ms, setting: about.setting, tried: agent.triedSince(startedAt) });
    const facts = isDenied(error) ? { denied: true } : {};
    throw new FlashBladeError(about.code ?? 'AWS_UNAVAILABLE', `could not ${about.what}: ${why}`, facts);
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

// If the process is paused, the timer fires late. However, the SDK reads `aborted` before it sends a request, so this getter also checks
// the clock.
function timeUp(ms: number, by: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  const fired = (): boolean => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  return Object.defineProperty(signal, 'aborted', { get: () => fired() || Date.now() >= by });
}
