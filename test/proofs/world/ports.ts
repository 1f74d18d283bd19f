/** The ports of one process, over the world that all processes share. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, authToken, type FlashBlade } from '../../../lib/core/model.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import type { Slots } from '../../kit/memory/memory-store.ts';
import { busy, unreachable } from './arrays.ts';
import type { Process } from './effects.ts';
import type { World } from './world.ts';

const ARRAY_CALL_MS = 10_000;
const AWS_CALL_MS = 2000;
const AWS_LATE_MS = 5000;

/** One AWS call, which ends at `by` (epoch, ms, by the clock of the process). `repeat`: the SDK retries it. */
export type Ask = <T>(
  name: string,
  by: number,
  act: () => T | Promise<T>,
  repeat?: (first: T) => T | Promise<T>,
) => Promise<T>;

/** How a process calls AWS. */
export const askOf =
  ({ effect, clock }: World, process: Process): Ask =>
  (name, by, act, repeat) =>
    effect(process, {
      name,
      by: Math.min(by - process.clockAheadMs, clock.now() + AWS_CALL_MS),
      lateMs: AWS_LATE_MS,
      looksAgain: false,
      act,
      noResponse: () => new FlashBladeError('AWS_UNAVAILABLE', `no response to ${name}`),
      ...(repeat ? { repeat } : {}),
    });

/** How a process of a former version changes the slots of an array. */
export const slotsChangerOf =
  ({ store }: World, ask: Ask) =>
  <T>(name: string, array: string, by: number, change: (slots: Slots) => T): Promise<T> => {
    const act = async (): Promise<T> => {
      await store.slots(array, by);
      return change(store.arrays.get(array) as Slots);
    };
    return ask(name, by, act, act);
  };

/** How a process replaces a ledger item. The SDK retries the same write, with the same version. */
export const replacerOf =
  ({ store }: World, ask: Ask) =>
  (next: Stored<Item>, previous: Stored<Item> | undefined, by: number): Promise<boolean> =>
    ask(
      `write ${nameOf(next)}`,
      by,
      () => store.replace(next, previous),
      (first) => store.replace(next, previous) || (first && store.items.get(next.id)?.version === next.version),
    );

export function createPorts(world: World, process: Process): Ports {
  const { arrays, store, secrets, seal, effect, clock, random, limits } = world;
  const worldTime = (by: number): number => by - process.clockAheadMs;

  const { lateMs } = world.features;
  const ask = askOf(world, process);
  const replace = replacerOf(world, ask);

  /** `retried`: the client sends it again if it gets no response. */
  const call = <T>(name: string, array: FlashBlade, by: number | undefined, act: () => T, retried = false) =>
    effect<{ data: T }>(process, {
      name: `${name} ${array.name}`,
      by: Math.min(worldTime(by ?? Number.POSITIVE_INFINITY), clock.now() + ARRAY_CALL_MS),
      lateMs,
      looksAgain: true,
      act: () => {
        if (world.arrayIsBusy(array.name)) throw busy();
        return { data: act() };
      },
      noResponse: unreachable,
      ...(retried ? { repeat: () => ({ data: act() }) } : {}),
    });

  const logout = async (array: FlashBlade, token: string, by: number | undefined) => {
    const { data: status } = await call('logout', array, by, () => arrays.logout(array.name, token), true);
    return { data: undefined, status, headers: {}, requestId: '' };
  };

  return {
    secrets: {
      read: (name, { by, fresh = false }) =>
        effect(process, {
          name: `secret ${name}`,
          by: Math.min(worldTime(by), clock.now() + AWS_CALL_MS),
          lateMs: AWS_LATE_MS,
          looksAgain: false,
          noResponse: () => new FlashBladeError('SECRET_UNAVAILABLE', 'no response'),
          act: () => {
            const { host, token, versionId } = secrets.read(name, fresh);
            return { array: arrayOf(name, host), apiToken: apiToken(token), versionId };
          },
        }),
      list: async () => secrets.names(),
    },
    store: {
      read: (id, by) => ask(`read ${id}`, by, () => store.read(id, by)),
      write: async (next, previous, by) => {
        const written = { ...next, version: world.newId() };
        return (await replace(written, previous, by)) ? written : undefined;
      },
      remove: (item, by) =>
        ask(
          `remove ${nameOf(item)}`,
          by,
          () => {
            if (item.kind === 'suspect') world.count(`SUSPECT dropped by ${process.name.split(' ')[0]}`);
            return store.remove(item, by);
          },
          async () => (await store.remove(item, by)) || !store.items.has(item.id),
        ),
      takeSlot: (array, slot, limit, by) => {
        const take = (): Promise<boolean> => store.takeSlot(array, slot, limit, by);
        return ask(`take slot ${slot.attemptId}`, by, take, take);
      },
      moveSlot: (array, from, slot, limit, by) => {
        const move = (): Promise<boolean> => store.moveSlot(array, from, slot, limit, by);
        return ask(`move slot ${from} to ${slot.attemptId}`, by, move, move);
      },
      keepSlot: (array, slot, by) => ask(`keep slot ${slot.attemptId}`, by, () => store.keepSlot(array, slot, by)),
      freeSlot: (array, slot, by) => ask(`free slot ${slot.attemptId}`, by, () => store.freeSlot(array, slot, by)),
      slots: (array, by) => ask('slots', by, () => store.slots(array, by)),
      lookAtSlots: (array, at, by) => ask('look at slots', by, () => store.lookAtSlots(array, at, by)),
      pending: (by) => ask('pending', by, () => world.pending()),
      ofOwner: (owner, by) => ask(`leases of ${owner}`, by, () => world.ofOwner(owner)),
    },
    seal: {
      dataKey: (context, by) => ask('data key', by, () => seal.dataKey(context, by)),
      seal: seal.seal,
      unseal: (sealed, context, by) => ask('unseal', by, () => seal.unseal(sealed, context, by)),
    },
    flashblade: {
      login: async (array, token, { deadline = Number.POSITIVE_INFINITY, requestId = '' }) => {
        const { data: value } = await call(`login ${requestId}`, array, deadline, () =>
          arrays.login(array.name, token.reveal(), requestId),
        );
        if (!world.responseIsBad()) {
          const data = { array, authToken: authToken(value), username: 'pureuser' };
          return { data, status: 200, headers: {}, requestId };
        }
        // Like the real adapter: it closes the session before it throws, for which it takes up to three seconds more.
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
      request: async ({ array, authToken: token }, { path }, { deadline }) => {
        const read = () => ({
          status: world.callIsForbidden() ? 403 : arrays.call(array.name, token.reveal()),
          items: path.endsWith('/sessions') ? arrays.listed(array.name) : [],
        });
        const { status, items } = (await call('request', array, deadline, read, true)).data;
        return { status, headers: {}, body: { items }, requestId: '' };
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
}

const arrayOf = (name: string, host: string): FlashBlade => ({ name, host, port: 443, trust: { kind: 'public' } });

const nameOf = (item: Item): string => (item.kind === 'lease' ? `${item.id} ${item.state}` : item.id);
