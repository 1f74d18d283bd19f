/** What a process does to the world, and what can become of it: every effect is a moment at which others come first, or all ends. */
import { FlashBladeError } from '../../../lib/ground/errors.ts';
import type { Clock } from './clock.ts';

/** A dead process goes on with nothing; what it has sent may still arrive. */
export type Process = {
  readonly name: string;
  /** How far its clock is ahead of the others', in milliseconds. */
  readonly clockAheadMs: number;
  dead: boolean;
};

/**
 * - `failed`: nothing happens and the caller is told so; `lost`: it happens, the answer is lost.
 * - `repeated`: it happens, and again, because the first answer was lost underneath.
 * - `died before`, `died after`: the process ends.
 */
export type End = 'answered' | 'failed' | 'lost' | 'repeated' | 'died before' | 'died after';
/** How long it takes there and back, in milliseconds. */
export type Fate = { readonly thereMs: number; readonly backMs: number; readonly end: End };

export type Effect<T> = {
  readonly name: string;
  /** The caller waits no longer (epoch, ms). */
  readonly by: number;
  readonly act: () => T | Promise<T>;
  /** What the caller is told who gets no answer. `sent`: it may have happened. */
  readonly noAnswer: (sent: boolean) => Error;
  /** The answer after it happened a second time. Default: such an effect is not repeated underneath. */
  readonly repeat?: (first: T) => T | Promise<T>;
};

export type Surroundings = {
  readonly clock: Clock;
  readonly fateOf: (process: Process, name: string) => Fate;
  /** Called after everything that changed the world. */
  readonly onEffect: (process: Process, name: string) => void;
  readonly count: (what: string) => void;
  readonly trace: ((line: string) => void) | undefined;
};

/** What was sent arrives by then, even if nobody waits any more. */
const LATE_MS = 5000;

export function effectsOf({ clock, fateOf, onEffect, count, trace }: Surroundings) {
  return function effect<T>(process: Process, { name, by, act, noAnswer, repeat }: Effect<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (process.dead) return promise;
    const fate = fateOf(process, name);
    count(fate.end);
    const told = (what: string): void => trace?.(`${clock.now()} ${process.name} ${name}: ${what}`);
    const end = (answer: () => void): void => {
      if (!process.dead) answer();
    };
    const happen = (action: () => T | Promise<T>, how: string): Promise<T> => {
      told(how);
      const outcome = attempt(action);
      outcome.catch(() => {});
      onEffect(process, name);
      return outcome;
    };

    if (by <= clock.now()) {
      told('no time is left');
      reject(new FlashBladeError('OUT_OF_TIME', `no time was left for ${name}`));
      return promise;
    }
    const thereAt = Math.min(clock.now() + fate.thereMs, by + LATE_MS);
    const backAt = thereAt + fate.backMs;
    if (backAt > by) {
      clock.at(by, () =>
        end(() => {
          told('no answer in time');
          reject(noAnswer(true));
        }),
      );
    }
    clock.at(thereAt, () => {
      if (fate.end === 'died before') {
        told(fate.end);
        process.dead = true;
        return;
      }
      if (fate.end === 'failed') return end(() => reject(noAnswer(false)));
      let outcome = happen(act, fate.end);
      if (fate.end === 'died after') process.dead = true;
      if (fate.end === 'lost') clock.at(backAt, () => end(() => reject(noAnswer(true))));
      if (fate.end !== 'answered' && fate.end !== 'repeated') return;
      clock.at(backAt, () => {
        if (fate.end === 'repeated' && repeat) {
          const first = outcome;
          outcome = happen(async () => repeat(await first), 'again');
        }
        end(() => resolve(outcome));
      });
    });
    return promise;
  };
}

async function attempt<T>(action: () => T | Promise<T>): Promise<T> {
  return action();
}
