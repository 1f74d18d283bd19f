/** What a process does to the world, and what can become of it: every effect is a moment at which others come first, or all ends. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Clock } from './clock.ts';

/** A dead process goes on with nothing; what it has sent may still arrive. */
export type Process = {
  readonly name: string;
  /** How far its clock is ahead of the others', in milliseconds. */
  readonly clockAheadMs: number;
  dead: boolean;
  /** It does nothing until then (epoch, ms), and does not notice. */
  stoppedUntil: number;
};

/**
 * - `failed`: nothing happens and the caller is told so; `lost`: it happens, the answer is lost.
 * - `repeated`: it happens, and again, because the first answer was lost underneath.
 * - `died before`, `died after`: the process ends.
 */
export type End = 'answered' | 'failed' | 'lost' | 'repeated' | 'died before' | 'died after';
/**
 * How long it takes there and back, in milliseconds. `stopMs`: for so long the process stops, right before it sends the request
 * (`sending`) or afterwards.
 */
export type Fate = {
  readonly thereMs: number;
  readonly backMs: number;
  readonly end: End;
  readonly stop?: { readonly ms: number; readonly when: 'sending' | 'waiting' };
};

export type Effect<T> = {
  readonly name: string;
  /** The caller waits no longer (epoch, ms). */
  readonly by: number;
  readonly act: () => T | Promise<T>;
  /** What was sent has an effect by so long after `by`, even if nobody waits for it. In milliseconds. */
  readonly lateMs: number;
  /** The clock is looked at again right before the request is sent. */
  readonly looksAgain: boolean;
  /** What the caller is told who gets no answer. `sent`: it may have happened. */
  readonly noAnswer: (sent: boolean) => Error;
  /** The answer after it happened a second time. Default: such an effect is not repeated underneath. */
  readonly repeat?: (first: T) => T | Promise<T>;
};

export type Surroundings = {
  readonly clock: Clock;
  readonly fateOf: (process: Process, name: string, lateMs: number) => Fate;
  /** Called after everything that changed the world. */
  readonly onEffect: (process: Process, name: string) => void;
  readonly count: (what: string) => void;
  readonly trace: ((line: string) => void) | undefined;
};

export function effectsOf({ clock, fateOf, onEffect, count, trace }: Surroundings) {
  return function effect<T>(process: Process, about: Effect<T>): Promise<T> {
    const { name, by, act, lateMs, looksAgain, noAnswer, repeat } = about;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (process.dead) return promise;
    const fate = fateOf(process, name, lateMs);
    count(fate.end);
    const told = (what: string): void => trace?.(`${clock.now()} ${process.name} ${name}: ${what}`);
    const end = (answer: () => void): void => {
      if (process.dead) return;
      if (clock.now() < process.stoppedUntil) clock.at(process.stoppedUntil, () => end(answer));
      else answer();
    };
    const stop = (ms: number): void => {
      told(`stops for ${ms} ms`);
      count('stopped');
      process.stoppedUntil = Math.max(process.stoppedUntil, clock.now() + ms);
    };
    const happen = (action: () => T | Promise<T>, how: string): Promise<T> => {
      told(how);
      const outcome = attempt(action);
      outcome.catch(() => {});
      onEffect(process, name);
      return outcome;
    };

    const isLate = (): boolean => {
      if (clock.now() < by) return false;
      told('no time is left');
      reject(new FlashBladeError('OUT_OF_TIME', `no time was left for ${name}`));
      return true;
    };
    const send = (): void => {
      if (looksAgain && isLate()) return;
      const thereAt = Math.min(clock.now() + fate.thereMs, Math.max(by, clock.now()) + lateMs);
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
        if (clock.now() > by && about.looksAgain) count('late');
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
    };

    if (isLate()) return promise;
    if (fate.stop) stop(fate.stop.ms);
    if (fate.stop?.when === 'sending') end(send);
    else send();
    return promise;
  };
}

async function attempt<T>(action: () => T | Promise<T>): Promise<T> {
  return action();
}
