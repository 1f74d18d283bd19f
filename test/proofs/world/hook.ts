/** How the calls of one process fare. Each call is an effect; the weather decides its fate and how the array responds. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { FlashBlade, Session } from '../../../lib/core/model.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import { awsDown, busy, unreachable } from '../../kit/memory/faults.ts';
import { type Call, type Hook, through } from '../../kit/memory/hook.ts';
import type { Process } from './effects.ts';
import type { World } from './world.ts';

const AWS = { longestMs: 2000, lateMs: 5000, looksAgain: false, noResponse: awsDown };
const SECRETS = { ...AWS, noResponse: () => new FlashBladeError('SECRET_UNAVAILABLE', 'no response') };
const ARRAY = { longestMs: 10_000, looksAgain: true, noResponse: unreachable };

/** How long a login may take beyond its deadline to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;
/** The client sends these again if it gets no response. */
const REPEATED = ['write', 'remove', 'takeSlot', 'moveSlot', 'join', 'leave', 'logout', 'request'];

export function hookOf(world: World, process: Process): Hook {
  const { effect, clock, weather, store, arrays, features } = world;

  function effectOf<T>(call: Call<T>): Promise<T> {
    const { port, method, act } = call;
    const isArray = port === 'flashblade';
    const { longestMs, ...wire } = isArray ? { ...ARRAY, lateMs: features.lateMs } : port === 'secrets' ? SECRETS : AWS;
    const respond = async (): Promise<T> =>
      method === 'request' && weather.callIsForbidden() ? (FORBIDDEN as T) : act();
    return effect<T>(process, {
      ...wire,
      name: [call.name, ...labelsOf(call)].join(' '),
      by: Math.min(call.by - process.clockAheadMs, clock.now() + longestMs),
      act: () => {
        if (isArray && weather.arrayIsBusy()) throw busy();
        if (method === 'remove' && (call.args[0] as Item).kind === 'suspect')
          world.count(`SUSPECT dropped by ${process.name.split(' ')[0]}`);
        return respond();
      },
      ...(REPEATED.includes(method) ? { repeat: async (first) => ownOutcome(call, first, await respond()) } : {}),
    });
  }

  /** A client that repeats a write or removal recognizes that its first request has taken effect. */
  function ownOutcome<T>({ method, args: [item] }: Call<T>, first: T, again: T): T {
    const { id, version } = item as Stored<Item>;
    const stored = store.items.get(id);
    if (method === 'write' && !again && first)
      return stored?.version === (first === true ? version : (first as unknown as Stored<Item>).version)
        ? first
        : again;
    return method === 'remove' && !stored ? (true as T) : again;
  }

  const hook: Hook = async <T>(call: Call<T>): Promise<T> => {
    const response = await effectOf(call);
    if (call.method !== 'login' || !weather.responseIsBad()) return response;
    // Like the real adapter: it closes the session before it throws.
    const { data } = response as { data: Session };
    const closed = await through('flashblade', arrays.flashblade, hook)
      .logout(data, { deadline: call.by + ROLL_BACK_MS })
      .then(
        () => true,
        () => false,
      );
    throw new FlashBladeError('ANSWER_INVALID', 'no username', { sent: true, mayHaveOpened: !closed });
  };
  return hook;
}

const FORBIDDEN: unknown = { status: 403, headers: {}, body: {}, requestId: '' };

/** What a call is about, for a trace. */
const labelsOf = ({ port, args }: Call): Iterable<string> =>
  new Set(port === 'seal' ? [] : args.flatMap((argument) => labelOf(argument) ?? []));

function labelOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  const { id, attemptId, requestId, name, array } = (argument ?? {}) as Partial<
    Record<'id' | 'attemptId' | 'requestId' | 'name', string> & { array: FlashBlade }
  >;
  return id ?? attemptId ?? requestId ?? name ?? array?.name;
}
