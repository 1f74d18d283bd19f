/** A hook that makes calls take as long as any caller waits, or longer. Requires a clock that the test advances. */
import { AWS_CALL_MS } from '../../../lib/aws/client.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { awsDown, unreachable } from './faults.ts';
import type { Call, Hook } from './hook.ts';

/**
 * - `quick`: takes no time
 * - `slow`: responds after the longest time that any caller waits; fails if less time is left
 * - `failed`: does nothing and fails at the last moment
 * - `lost`: takes effect and fails at the last moment
 */
export type Pace = 'quick' | 'slow' | 'failed' | 'lost';

const ARRAY_CALL_MS = 10_000;
/** How far a login may exceed its deadline to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;

/** `paceOf` returns the pace for each call, in the order in which the calls start. */
export const slow =
  (paceOf: () => Pace): Hook =>
  async <T>({ port, method, by, act }: Call<T>): Promise<T> => {
    if (by <= Date.now()) throw new FlashBladeError('OUT_OF_TIME', 'no time was left');
    const pace = paceOf();
    if (pace === 'quick') return act();
    const result = pace === 'failed' ? undefined : act();
    result?.catch(() => {});
    const isArray = port === 'flashblade';
    const overMs = method === 'login' ? ROLL_BACK_MS : 0;
    const longestMs = (isArray ? ARRAY_CALL_MS : AWS_CALL_MS) + overMs;
    const leftMs = by + overMs - Date.now();
    await new Promise((resolve) => setTimeout(resolve, Math.min(longestMs, leftMs)));
    if (pace !== 'slow' || leftMs < longestMs) throw isArray ? unreachable(true) : awsDown();
    return result as Promise<T>;
  };
