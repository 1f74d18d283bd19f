/**
 * The code that a process runs: the current version, or version 0.1.0 over the same world. The former version may still run while a
 * stack is updated, or in a program that has not been updated. `former/0.1.0.json` keeps its lease code, without its connections to
 * AWS and arrays: one bundle with its dependencies, compressed with Brotli. It calls the ports `edges`.
 */
import { createHash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { WITHOUT_SHARDS } from '../../../lib/aws/due-partitions.ts';
import { FlashBladeError, known } from '../../../lib/core/errors.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
import type { Item, Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports, StoredSlot } from '../../../lib/leases/ports.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import type { OpenRequest } from '../../../lib/leases/requests.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { type UseOptions, type Work, withLease } from '../../../lib/leases/use.ts';
import { withSession } from '../../../lib/leases/with-session.ts';
import type { MemoryStore } from '../../../lib/testing/store.ts';
import { type Hook, hooked, through } from '../../kit/memory/hook.ts';
import kept from '../former/0.1.0.json' with { type: 'json' };

export const CURRENT = { openSession, closeSession, endOwner, renewLease, sweep, withLease, withSession };
export type Code = typeof CURRENT;

type WithEdges = { readonly edges: Ports };
type Former = Pick<Code, 'openSession' | 'closeSession' | 'renewLease' | 'sweep'> & {
  readonly FlashBladeError: typeof FlashBladeError;
  endOwnerOf: Code['endOwner'];
  withLease<T>(leaseId: string, work: Work<T>, options: UseOptions & WithEdges): Promise<T>;
  withSession<T>(
    array: string,
    work: Work<T>,
    options: UseOptions & Omit<OpenRequest, 'array'> & WithEdges,
  ): Promise<T>;
};

const formerText = brotliDecompressSync(Buffer.from(kept.brotli, 'base64'));
if (createHash('sha256').update(formerText).digest('hex') !== kept.sha256) throw new Error('0.1.0.json was changed');
const former: Former = await import(`data:text/javascript;base64,${formerText.toString('base64')}`);

export const FORMER: Code = {
  ...former,
  endOwner: former.endOwnerOf,
  withLease: (edges, leaseId, work, options) => former.withLease(leaseId, work, { ...options, edges }),
  withSession: (edges, { array, ...request }, work, { deadline } = {}) =>
    former.withSession(array, work, { ...request, deadline, edges }),
};

/** The ports as the former version knows them. It recognizes only errors of its own class. `hook` gets the calls of its store. */
export function formerPorts(ports: Ports, store: MemoryStore, hook: Hook): Ports {
  const leases = { ...ports.store, ...through('store', formerStore(store), hook) };
  return { ...hooked(ports, translated), ...{ leases: through('store', leases, translated) } };
}

/** The former version sets the version of each item itself, and names slots by the id of a lease or SUSPECT. */
function formerStore(store: MemoryStore) {
  return {
    write: async (next: Stored<Item>, previous: Stored<Item> | undefined, _by: number) => store.replace(next, previous),
    join: async (array: string, name: string, slot: StoredSlot & { readonly limit: number }, _by: number) => {
      const { attemptId, until, limit } = slot;
      const slots = store.slotsOf(array);
      const before = slots.get(name);
      if (!before && slots.size >= limit) return false;
      const isOwn = before === undefined || before.attemptId === attemptId;
      slots.dueAt ??= until;
      slots.set(name, { attemptId: isOwn ? attemptId : `shared by ${attemptId}`, until });
      return true;
    },
    leave: async (array: string, name: string, _by: number, attemptId?: string) => {
      const slots = store.slotsOf(array);
      if (attemptId === undefined || slots.get(name)?.attemptId === attemptId) slots.delete(name);
    },
    places: store.slots,
    lookAtPlaces: store.lookAtSlots,
    pending: async (_by: number) =>
      store.pendingIn([WITHOUT_SHARDS]).map((row) => (row.kind === 'slots' ? { ...row, kind: 'places' } : row)),
  };
}

const translated: Hook = ({ act }) =>
  act().catch((error) => {
    throw error instanceof FlashBladeError ? new former.FlashBladeError(error.code, error.message, error.facts) : error;
  });

/** The code and message of what a process threw, in the error class of either version. */
export const codeOf = (error: unknown): { readonly code: string; readonly message: string } =>
  error instanceof former.FlashBladeError ? error : known(error);
