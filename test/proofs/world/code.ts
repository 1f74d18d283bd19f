/** The code that a process runs: the current version, or a former version over the same world. */
import { FlashBladeError, known } from '../../../lib/core/errors.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports, StoredSlot } from '../../../lib/leases/ports.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { withLease, withSession } from '../../../lib/leases/use.ts';
import type { Slots } from '../../kit/memory/memory-store.ts';
import * as former from '../former/0.1.0.mjs';

export const CURRENT = { openSession, closeSession, endOwner, renewLease, sweep, withLease, withSession };
export type Code = typeof CURRENT;
export const FORMER: Code = {
  ...former,
  endOwner: former.endOwnerOf,
  withLease: (edges, leaseId, work, options) => former.withLease(leaseId, work, { ...options, edges }),
  withSession: (edges, array, work, options) => former.withSession(array, work, { ...options, edges }),
};

/**
 * The ports as the former version knows them. It recognizes only errors of its own class, sets the version of each item itself, and
 * names slots by the id of a lease or SUSPECT. `changeSlots` makes one change to the slots of an array.
 */
export function formerPorts(
  ports: Ports,
  { replace, changeSlots }: { replace: Replace; changeSlots: ChangeSlots },
): Ports {
  const { secrets, store, seal, flashblade } = ports;
  const formerSlots = {
    join: (array: string, name: string, slot: StoredSlot & { readonly limit: number }, by: number) =>
      changeSlots(`join ${name}`, array, by, (slots) => {
        const { attemptId, until, limit } = slot;
        const before = slots.get(name);
        if (!before && slots.size >= limit) return false;
        const isOwn = before === undefined || before.attemptId === attemptId;
        slots.dueAt ??= until;
        slots.set(name, { attemptId: isOwn ? attemptId : `shared by ${attemptId}`, until });
        return true;
      }),
    leave: (array: string, name: string, by: number, attemptId?: string) =>
      changeSlots(`leave ${name}`, array, by, (slots) => {
        if (attemptId === undefined || slots.get(name)?.attemptId === attemptId) slots.delete(name);
      }),
    places: store.slots,
    lookAtPlaces: store.lookAtSlots,
    pending: async (by: number) =>
      (await store.pending(by)).map((row) => (row.kind === 'slots' ? { ...row, kind: 'places' } : row)),
  };
  return {
    ...ports,
    secrets: translated(secrets),
    seal: { ...translated({ dataKey: seal.dataKey, unseal: seal.unseal }), seal: seal.seal },
    flashblade: translated(flashblade),
    ...{ leases: translated({ ...store, write: replace, ...formerSlots }) },
  };
}

type Replace = (next: Stored<Item>, previous: Stored<Item> | undefined, by: number) => Promise<boolean>;
type ChangeSlots = <T>(name: string, array: string, by: number, change: (slots: Slots) => T) => Promise<T>;

/** The code and message of what a process threw, in the error class of either version. */
export const codeOf = (error: unknown): { readonly code: string; readonly message: string } =>
  error instanceof former.FlashBladeError ? error : known(error);

type Group = { [name: string]: (...args: never[]) => Promise<unknown> };

const translated = <T extends object>(group: T): T =>
  Object.fromEntries(
    Object.entries(group as Group).map(([name, act]) => [
      name,
      (...args: never[]) =>
        act(...args).catch((error) => {
          const isCurrent = error instanceof FlashBladeError;
          throw isCurrent ? new former.FlashBladeError(error.code, error.message, error.facts) : error;
        }),
    ]),
  ) as T;
