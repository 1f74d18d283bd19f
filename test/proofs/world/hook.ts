/** How the calls of one process fare. Each is an effect; the weather decides its fate, and how an array responds. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Session } from '../../../lib/core/model.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import { awsDown, busy, unreachable } from '../../kit/memory/faults.ts';
import { type Call, type Hook, through } from '../../kit/memory/hook.ts';
import type { Process } from './effects.ts';
import type { World } from './world.ts';

const secretsDown = (): FlashBladeError => new FlashBladeError('SECRET_UNAVAILABLE', 'no response');

const AWS = { longestMs: 2000, lateMs: 5000, looksAgain: false, noResponse: awsDown };
const ARRAY = { longestMs: 10_000, looksAgain: true, noResponse: unreachable };
/** How long a login may take beyond its deadline to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;
/** The client sends these again if it gets no response. */
const REPEATED = ['write', 'remove', 'takeSlot', 'moveSlot', 'join', 'leave', 'logout', 'request'];
const FORBIDDEN: unknown = { status: 403, headers: {}, body: {}, requestId: '' };

export function hookOf({ clock, effect, weather, features, arrays, store, count }: World, process: Process): Hook {
  const wireTo = (port: Call['port']) => {
    if (port === 'flashblade') return { ...ARRAY, lateMs: features.lateMs };
    return port === 'secrets' ? { ...AWS, noResponse: secretsDown } : AWS;
  };

  function effectOf<T>(call: Call<T>): Promise<T> {
    const { port, method, args } = call;
    const { longestMs, ...wire } = wireTo(port);
    const respond = async (): Promise<T> =>
      method === 'request' && weather.callIsForbidden() ? (FORBIDDEN as T) : call.act();

    return effect<T>(process, {
      ...wire,
      name: call.name,
      label: () => labelOf(call),
      by: Math.min(call.by - process.clockAheadMs, clock.now() + longestMs),
      act: () => {
        if (port === 'flashblade' && weather.arrayIsBusy()) throw busy();
        const isDrop = method === 'remove' && (args[0] as Item).kind === 'suspect';
        if (isDrop) count(`SUSPECT dropped by ${process.name.split(' ')[0]}`);
        return respond();
      },
      ...(REPEATED.includes(method) && { repeat: async (first) => outcomeOf(call, first, await respond()) }),
    });
  }

  /** What the client returns after a second try. It recognizes what its first one wrote or removed. */
  function outcomeOf<T>({ method, args }: Call<T>, first: T, second: T): T {
    if (second) return second;
    const written = first as Stored<Item> | undefined;
    if (method === 'write' && written && store.items.get(written.id)?.version === written.version) return first;
    return method === 'remove' ? (!store.items.has((args[0] as Item).id) as T) : second;
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
    const response = await effectOf(call);
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
