/** The story's edges as one process has them, over the world that all processes share. */
import { FlashBladeError } from '../../../lib/ground/errors.ts';
import type { Item } from '../../../lib/ground/lease-items.ts';
import { apiToken, authToken, type FlashBlade } from '../../../lib/ground/model.ts';
import type { Edges } from '../../../lib/story/edges.ts';
import { busy, unreachable } from './arrays.ts';
import type { Process } from './effects.ts';
import type { World } from './world.ts';

const ARRAY_CALL_MS = 10_000;
const AWS_CALL_MS = 2000;

export function edgesOf(world: World, process: Process): Edges {
  const { arrays, store, secrets, seal, effect, clock, random, limits } = world;
  const worldsTime = (by: number): number => by - process.clockAheadMs;

  const ask = <T>(name: string, by: number, act: () => T | Promise<T>, repeat?: (first: T) => T | Promise<T>) =>
    effect<T>(process, {
      name,
      by: Math.min(worldsTime(by), clock.now() + AWS_CALL_MS),
      act,
      noAnswer: () => new FlashBladeError('AWS_UNAVAILABLE', `no answer to ${name}`),
      ...(repeat ? { repeat } : {}),
    });

  const call = <T>(name: string, array: FlashBlade, by: number | undefined, act: () => T) =>
    effect<{ data: T }>(process, {
      name: `${name} ${array.name}`,
      by: Math.min(worldsTime(by ?? Number.POSITIVE_INFINITY), clock.now() + ARRAY_CALL_MS),
      act: () => {
        if (world.arrayIsBusy(array.name)) throw busy();
        return { data: act() };
      },
      noAnswer: unreachable,
    });

  const logout = async (array: FlashBlade, token: string, by: number | undefined) => {
    const { data: status } = await call('logout', array, by, () => arrays.logout(array.name, token));
    return { data: undefined, status, headers: {}, requestId: '' };
  };

  return {
    secrets: {
      read: (name, { by, fresh = false }) =>
        effect(process, {
          name: `secret ${name}`,
          by: Math.min(worldsTime(by), clock.now() + AWS_CALL_MS),
          noAnswer: () => new FlashBladeError('SECRET_UNAVAILABLE', 'no answer'),
          act: () => {
            const { host, token, versionId } = secrets.read(name, fresh);
            return { array: arrayOf(name, host), apiToken: apiToken(token), versionId };
          },
        }),
      list: async () => [],
    },
    leases: {
      read: (id, by) => ask(`read ${id}`, by, () => store.read(id, by)),
      write: (next, previous, by) =>
        ask(
          `write ${nameOf(next)}`,
          by,
          () => store.write(next, previous, by),
          async (first) =>
            (await store.write(next, previous, by)) || (first && (await holds(next)).version === next.version),
        ),
      remove: (item, by) =>
        ask(
          `remove ${nameOf(item)}`,
          by,
          () => store.remove(item, by),
          async () => (await store.remove(item, by)) || !('id' in (await holds(item))),
        ),
      join: (array, name, place, by) => {
        const take = (): Promise<boolean> => store.join(array, name, place, by);
        return ask(`join ${name}`, by, take, take);
      },
      leave: (array, name, by, attemptId) => ask(`leave ${name}`, by, () => store.leave(array, name, by, attemptId)),
      places: (array, by) => ask('places', by, () => store.places(array, by)),
      lookAtPlaces: (array, at, by) => ask('look at places', by, () => store.lookAtPlaces(array, at, by)),
      pending: (by) => ask('pending', by, () => world.indexes().pending),
      ofOwner: (owner, by) => ask(`leases of ${owner}`, by, () => world.indexes().ofOwner(owner)),
    },
    seal: {
      dataKey: (context, by) => ask('data key', by, () => seal.dataKey(context, by)),
      unseal: (sealed, context, by) => ask('unseal', by, () => seal.unseal(sealed, context, by)),
    },
    flashblade: {
      login: async (array, token, { deadline = Number.POSITIVE_INFINITY, requestId = '' }) => {
        const { data: value } = await call(`login ${requestId}`, array, deadline, () =>
          arrays.login(array.name, token.reveal(), requestId),
        );
        if (!world.answerIsBad()) {
          const data = { array, authToken: authToken(value), username: 'pureuser' };
          return { data, status: 200, headers: {}, requestId };
        }
        // As the real edge: the session is closed before the error is thrown, for which it takes three seconds more.
        const closed = await logout(array, value, deadline + 3000).then(
          () => true,
          () => false,
        );
        throw new FlashBladeError('ANSWER_INVALID', 'no username', { sent: true, mayHaveOpened: !closed });
      },
      logout: (session, { deadline }) => logout(session.array, session.authToken.reveal(), deadline),
      apiVersions: async (array, { deadline }) => ({
        ...(await call('versions', array, deadline, () => ['2.9', '2.10'])),
        ...{ status: 200, headers: {}, requestId: '' },
      }),
      request: async ({ array, authToken: token }, _call, { deadline }) => {
        const read = (): number => (world.callIsForbidden() ? 403 : arrays.call(array.name, token.reveal()));
        const { data: status } = await call('request', array, deadline, read);
        return { status, headers: {}, body: { items: [] }, requestId: '' };
      },
    },
    limits,
    report: ({ event, message }) => {
      world.count(event);
      world.trace?.(`${clock.now()} ${process.name} reports ${event}: ${message}`);
    },
    now: () => clock.now() + process.clockAheadMs,
    random: random.next,
    newId: world.newId,
  };

  async function holds(item: Item): Promise<Partial<Item>> {
    return (await store.read(item.id, 0)) ?? {};
  }
}

const arrayOf = (name: string, host: string): FlashBlade => ({ name, host, port: 443, trust: { kind: 'public' } });

const nameOf = (item: Item): string => (item.kind === 'lease' ? `${item.id} ${item.state}` : item.id);
