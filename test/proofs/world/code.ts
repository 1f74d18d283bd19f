/** The code that a process runs: today's, or that of a former version over the same world. */
import type { StoredSlot } from '../../../lib/edges/leases.ts';
import { FlashBladeError, known } from '../../../lib/ground/errors.ts';
import { closeSession } from '../../../lib/story/close-session.ts';
import type { Edges } from '../../../lib/story/edges.ts';
import { endOwnerOf } from '../../../lib/story/end-owner.ts';
import { openSession } from '../../../lib/story/open-session.ts';
import { renewLease } from '../../../lib/story/renew-lease.ts';
import { sweep } from '../../../lib/story/sweep.ts';
import { withLease, withSession } from '../../../lib/story/use-session.ts';
import type { Slots } from '../../story/memory-store.ts';
import * as former from '../former/0.1.0.mjs';

export const CURRENT = { openSession, closeSession, endOwnerOf, renewLease, sweep, withLease, withSession };
export type Code = typeof CURRENT;
export const FORMER: Code = former;

/**
 * Edges as the former version knows them: it recognizes errors of its own class only, and has slots by a lease's or SUSPECT's id.
 * `changeSlots` is one change of an array's slots.
 */
export function formerEdges(edges: Edges, changeSlots: ChangeSlots): Edges {
  const { secrets, leases, seal, flashblade } = edges;
  const places = {
    join: (array: string, name: string, place: StoredSlot & { readonly limit: number }, by: number) =>
      changeSlots(`join ${name}`, array, by, (slots) => {
        const { attemptId, until, limit } = place;
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
    places: leases.slots,
    lookAtPlaces: leases.lookAtSlots,
    pending: async (by: number) =>
      (await leases.pending(by)).map((row) => (row.kind === 'slots' ? { ...row, kind: 'places' } : row)),
  };
  return {
    ...edges,
    secrets: translated(secrets),
    leases: translated({ ...leases, ...places } as unknown as Edges['leases']),
    seal: translated(seal),
    flashblade: translated(flashblade),
  };
}

type ChangeSlots = <T>(name: string, array: string, by: number, change: (slots: Slots) => T) => Promise<T>;

/** What a process threw, in whichever version's class. */
export const codeOf = (error: unknown): { readonly code: string; readonly message: string } =>
  error instanceof former.FlashBladeError ? error : known(error);

type Group = { [name: string]: (...args: never[]) => Promise<unknown> };

const translated = <T extends object>(group: T): T =>
  Object.fromEntries(
    Object.entries(group as Group).map(([name, act]) => [
      name,
      (...args: never[]) =>
        act(...args).catch((error) => {
          const ours = error instanceof FlashBladeError;
          throw ours ? new former.FlashBladeError(error.code, error.message, error.facts) : error;
        }),
    ]),
  ) as T;
