/** The effects of a process on the world. At every effect, other processes may come first, or the process may die. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Clock } from './clock.ts';

/** A dead process does nothing more, but what it has sent may still arrive. */
export type Process = {
  readonly name: string;
  /** How far its clock is ahead of the others', in milliseconds. */
  readonly clockAheadMs: number;
  dead: boolean;
  /** The process is stopped until then (epoch, ms) and does not notice. */
  stoppedUntil: number;
};

/**
 * - `failed`: the effect does not happen, and the caller gets an error that says so.
 * - `lost`: the effect happens, but the response is lost.
 * - `repeated`: the effect happens twice, because the client lost the first response and sent the request again.
 * - `died before`, `died after`: the process dies before or after the effect.
 */
export type End = 'answered' | 'failed' | 'lost' | 'repeated' | 'died before' | 'died after';
/**
 * How long the way there and back takes, in milliseconds. `stop`: how long the process stops, right before it sends the request
 * (`sending`) or afterwards (`waiting`).
 */
export type Fate = {
  readonly thereMs: number;
  readonly backMs: number;
  readonly end: End;
  readonly stop?: { readonly ms: number; readonly when: 'sending' | 'waiting' };
};

export type Effect<T> = {
  readonly name: string;
  /** The name and what the call is about. */
  readonly label: () => string;
  /** When the caller stops waiting (epoch, ms). */
  readonly by: number;
  readonly act: () => T | Promise<T>;
  /** How long after `by` a sent request may still take effect, although no caller waits for it. In milliseconds. */
  readonly lateMs: number;
  /** Whether the deadline is checked again right before the request is sent. */
  readonly looksAgain: boolean;
  /** The error that the caller gets without a response. `sent`: the effect may have happened. */
  readonly noResponse: (sent: boolean) => Error;
  /** The response after the effect happened a second time. Default: the client does not repeat such an effect. */
  readonly repeat?: (first: T) => T | Promise<T>;
};

type Surroundings = {
  readonly clock: Clock;
  readonly fateOf: (name: string, lateMs: number) => Fate;
  /** Called after every change to the world. */
  readonly onEffect: () => void;
  readonly count: (what: string) => void;
  readonly trace: ((line: string) => void) | undefined;
};

export function effectsOf({ clock, fateOf, onEffect, count, trace }: Surroundings) {
  return function effect<T>(process: Process, about: Effect<T>): Promise<T> {
    const { name, label, by, act, lateMs, looksAgain, noResponse, repeat } = about;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (process.dead) return promise;
    const fate = fateOf(name, lateMs);
    count(fate.end);
    const log = (what: string): void => trace?.(`${clock.now()} ${process.name} ${label()}: ${what}`);
    const end = (respond: () => void): void => {
      if (process.dead) return;
      if (clock.now() < process.stoppedUntil) clock.at(process.stoppedUntil, () => end(respond));
      else respond();
    };
    const stop = (ms: number): void => {
      log(`stops for ${ms} ms`);
      count('stopped');
      process.stoppedUntil = Math.max(process.stoppedUntil, clock.now() + ms);
    };
    const happen = (action: () => T | Promise<T>, how: string): Promise<T> => {
      log(how);
      const outcome = (async () => action())();
      outcome.catch(() => {});
      onEffect();
      return outcome;
    };

    const isLate = (): boolean => {
      if (clock.now() < by) return false;
      log('no time is left');
      reject(new FlashBladeError('OUT_OF_TIME', `no time was left for ${label()}`));
      return true;
    };
    const send = (): void => {
      if (looksAgain && isLate()) return;
      const thereAt = Math.min(clock.now() + fate.thereMs, Math.max(by, clock.now()) + lateMs);
      const backAt = thereAt + fate.backMs;
      const giveUp = (): void => {
        log('no response in time');
        reject(noResponse(true));
      };
      if (backAt > by) clock.at(by, () => end(giveUp));
      clock.at(thereAt, () => {
        if (fate.end === 'died before') {
          log(fate.end);
          process.dead = true;
          return;
        }
        if (fate.end === 'failed') return end(() => reject(noResponse(false)));
        if (clock.now() > by && looksAgain) count('late');
        let outcome = happen(act, fate.end);
        if (fate.end === 'died after') process.dead = true;
        if (fate.end === 'lost') clock.at(backAt, () => end(() => reject(noResponse(true))));
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
