/**
 * How the calls of one process fare. Each is an effect on the world: before it, other processes may come first, or the process may die. The
 * weather decides its fate, and how an array responds.
 */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Session } from '../../../lib/core/model.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import { awsDown, busy, unreachable } from '../../kit/memory/faults.ts';
import { type Call, type Hook, through } from '../../kit/memory/hook.ts';
import type { World } from './world.ts';

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

/**
 * `longestMs`: how long a caller waits. `lateMs`: how long afterwards a sent request may still take effect. `looksAgain`: whether the deadline
 * is checked again right before the request is sent. `noResponse`: the error without a response, and whether the request was sent.
 */
const AWS = { longestMs: 2000, lateMs: 5000, looksAgain: false, noResponse: awsDown };
const SECRETS = { ...AWS, noResponse: () => new FlashBladeError('SECRET_UNAVAILABLE', 'no response') };
const ARRAY = { longestMs: 10_000, looksAgain: true, noResponse: unreachable };
/** How long a login may take beyond its deadline to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;
/** The client sends these again if it gets no response. */
const REPEATED = ['write', 'remove', 'takeSlot', 'moveSlot', 'join', 'leave', 'logout', 'request'];
const FORBIDDEN: unknown = { status: 403, headers: {}, body: {}, requestId: '' };

/** Lets the process proceed, unless it is dead. A stopped process proceeds when it resumes. */
export function proceedIn({ clock }: Pick<World, 'clock'>, process: Process, act: () => void): void {
  if (process.dead) return;
  if (clock.now() < process.stoppedUntil) clock.at(process.stoppedUntil, () => proceedIn({ clock }, process, act));
  else act();
}

export function hookOf(world: World, process: Process): Hook {
  const { clock, weather, features, arrays, store, count } = world;
  const proceed = (act: () => void): void => proceedIn(world, process, act);

  async function act<T>({ port, method, args, act }: Call<T>): Promise<T> {
    if (port === 'flashblade' && weather.arrayIsBusy()) throw busy();
    const isDrop = method === 'remove' && (args[0] as Item).kind === 'suspect';
    if (isDrop) count(`SUSPECT dropped by ${process.name.split(' ')[0]}`);
    return respond({ method, act });
  }
  const respond = async <T>({ method, act }: Pick<Call<T>, 'method' | 'act'>): Promise<T> =>
    method === 'request' && weather.callIsForbidden() ? (FORBIDDEN as T) : act();

  /** What the client returns after a second try. It recognizes what its first one wrote or removed. */
  async function actAgain<T>(call: Call<T>, first: T): Promise<T> {
    const { method, args } = call;
    const second = await respond(call);
    if (second) return second;
    const written = first as Stored<Item> | undefined;
    if (method === 'write' && written && store.items.get(written.id)?.version === written.version) return first;
    return method === 'remove' ? (!store.items.has((args[0] as Item).id) as T) : second;
  }

  function effect<T>(call: Call<T>): Promise<T> {
    const { port, name, method } = call;
    const wire = {
      flashblade: { ...ARRAY, lateMs: features.lateMs },
      secrets: SECRETS,
      store: AWS,
      seal: AWS,
      executions: AWS,
      outbox: AWS,
    };
    const { longestMs, lateMs, looksAgain, noResponse } = wire[port];
    const by = Math.min(call.by - process.clockAheadMs, clock.now() + longestMs);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (process.dead) return promise;
    const { signal } = (call.args.at(-1) ?? {}) as { signal?: AbortSignal };
    if (port === 'flashblade' && signal !== undefined) {
      // What was sent may still arrive.
      if (signal.aborted) return Promise.reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }
    const { thereMs, backMs, end, stop } = weather.fateOf(name, lateMs);
    count(end);
    const log = (what: string): void => world.trace?.(`${clock.now()} ${process.name} ${labelOf(call)}: ${what}`);

    const happen = (action: () => Promise<T>, how: string): Promise<T> => {
      log(how);
      const outcome = action();
      outcome.catch(() => {});
      world.onEffect();
      return outcome;
    };
    const isLate = (): boolean => {
      if (clock.now() < by) return false;
      log('no time is left');
      reject(new FlashBladeError('OUT_OF_TIME', `no time was left for ${labelOf(call)}`));
      return true;
    };
    const giveUp = (): void => {
      log('no response in time');
      reject(noResponse(true));
    };
    const arrive = (backAt: number): void => {
      if (end === 'died before') {
        log(end);
        process.dead = true;
      }
      if (end === 'failed') proceed(() => reject(noResponse(false)));
      if (end === 'died before' || end === 'failed') return;
      if (clock.now() > by && looksAgain) count('late');
      const first = happen(() => act(call), end);
      if (end === 'died after') process.dead = true;
      if (end === 'lost') clock.at(backAt, () => proceed(() => reject(noResponse(true))));
      if (end !== 'answered' && end !== 'repeated') return;
      clock.at(backAt, () => {
        const again = end === 'repeated' && REPEATED.includes(method);
        const outcome = again ? happen(async () => actAgain(call, await first), 'again') : first;
        proceed(() => resolve(outcome));
      });
    };
    const send = (): void => {
      if (looksAgain && isLate()) return;
      const thereAt = Math.min(clock.now() + thereMs, Math.max(by, clock.now()) + lateMs);
      const backAt = thereAt + backMs;
      if (backAt > by) clock.at(by, () => proceed(giveUp));
      clock.at(thereAt, () => arrive(backAt));
    };

    if (isLate()) return promise;
    if (stop) {
      log(`stops for ${stop.ms} ms`);
      count('stopped');
      process.stoppedUntil = Math.max(process.stoppedUntil, clock.now() + stop.ms);
    }
    if (stop?.when === 'sending') proceed(send);
    else send();
    return promise;
  }

  /** Like the real adapter: if the response to a login is bad, it closes the session before it throws. */
  async function rollBack({ by }: Call, session: Session): Promise<never> {
    const { logout } = through('flashblade', arrays.flashblade, hook);
    const mayHaveOpened = await logout(session, { deadline: by + ROLL_BACK_MS }).then(
      () => false,
      () => true,
    );
    throw new FlashBladeError('ANSWER_INVALID', 'no username', { sent: true, mayHaveOpened });
  }

  const hook: Hook = async <T>(call: Call<T>): Promise<T> => {
    // Listing the secrets never fails here, so that more fleet checks get as far as their arrays.
    if (call.method === 'list') return call.act();
    const response = await effect(call);
    const isBad = call.method === 'login' && weather.responseIsBad();
    return isBad ? rollBack(call, (response as { data: Session }).data) : response;
  };
  return hook;
}

/** The call with what it is about: `login fb1 id-7`. A sealed token differs in every run. */
const labelOf = ({ port, name, args }: Call): string =>
  [...new Set([name, ...(port === 'seal' ? [] : args.flatMap((argument) => idOf(argument) ?? []))])].join(' ');

function idOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  type Ids = { id: string; attemptId: string; requestId: string; name: string; array: { name: string } };
  const { id, attemptId, requestId, name, array } = (argument ?? {}) as Partial<Ids>;
  return id ?? attemptId ?? requestId ?? name ?? array?.name;
}
