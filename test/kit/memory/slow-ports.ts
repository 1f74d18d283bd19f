/** Ports that take as long as any caller waits, or longer. They need a clock that the test advances. */

import { AWS_CALL_MS } from '../../../lib/aws/client.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Outbox, Ports } from '../../../lib/leases/ports.ts';
import { unreachable } from './world.ts';

/**
 * - `quick`: takes no time
 * - `slow`: responds after the longest time that any caller waits; fails if less time is left
 * - `failed`: does nothing and fails at the last moment
 * - `lost`: takes effect and fails at the last moment
 */
export type Pace = 'quick' | 'slow' | 'failed' | 'lost';

type Group = { [name: string]: (...args: never[]) => Promise<unknown> };

const ARRAY_CALL_MS = 10_000;
/** How far a login may exceed its deadline to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;

/** `paceOf` returns the pace of each call, in the order in which the calls start. */
export function slowPorts(ports: Ports, outbox: Outbox, paceOf: () => Pace): { ports: Ports; outbox: Outbox } {
  const slow = <T extends object>(group: T, longest: (name: string) => number, error: () => Error): T =>
    Object.fromEntries(
      Object.entries(group as Group).map(([name, act]) => [name, slowly(paceOf, act, () => longest(name), error)]),
    ) as T;
  const aws = <T extends object>(group: T): T =>
    slow(
      group,
      () => AWS_CALL_MS,
      () => new FlashBladeError('AWS_UNAVAILABLE', 'no answer from AWS'),
    );
  return {
    ports: {
      ...ports,
      now: Date.now,
      secrets: aws(ports.secrets),
      store: aws(ports.store),
      seal: { ...aws({ dataKey: ports.seal.dataKey, unseal: ports.seal.unseal }), seal: ports.seal.seal },
      flashblade: slow(
        ports.flashblade,
        (name) => ARRAY_CALL_MS + (name === 'login' ? ROLL_BACK_MS : 0),
        () => unreachable(true),
      ),
    },
    outbox: aws(outbox),
  };
}

const slowly =
  (paceOf: () => Pace, act: Group[string], longest: () => number, error: () => Error) =>
  async (...args: never[]): Promise<unknown> => {
    const by = byOf(args);
    if (by <= Date.now()) throw new FlashBladeError('OUT_OF_TIME', 'no time was left');
    const pace = paceOf();
    if (pace === 'quick') return act(...args);
    const result = pace === 'failed' ? undefined : act(...args);
    result?.catch(() => {});
    const over = longest() > ARRAY_CALL_MS ? ROLL_BACK_MS : 0;
    const left = by + over - Date.now();
    await new Promise((resolve) => setTimeout(resolve, Math.min(longest(), left)));
    if (pace !== 'slow' || left < longest()) throw error();
    return result;
  };

/** A call's deadline: `by` or `deadline` in its options, or the last number among its arguments. */
export function byOf(args: readonly unknown[]): number {
  const options = args.at(-1) as { by?: number; deadline?: number } | undefined;
  if (typeof options === 'object') return options.by ?? options.deadline ?? Number.NaN;
  return args.findLast((argument) => typeof argument === 'number') as number;
}
