/** Leases that nobody closed, as a sweep finds them. */
import { randomUUID } from 'node:crypto';
import { seconds } from '../../../lib/core/deadlines.ts';
import { mapLimit } from '../../../lib/core/map-limit.ts';
import { authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { type Open, type Stored, sealContext } from '../../../lib/leases/items.ts';
import type { LeaseStore, Seal } from '../../../lib/leases/ports.ts';
import { intend, record } from '../../../lib/leases/states.ts';
import { inTurn, numbers } from './place.ts';

const HOUR_SECONDS = 3600;
const AT_A_TIME = 16;

/** Writes `count` open leases that have expired, shared out evenly among the arrays, each with its slot. */
export async function writeDueLeases(
  { store, seal }: { readonly store: LeaseStore; readonly seal: Seal },
  arrays: readonly FlashBlade[],
  count: number,
): Promise<Stored<Open>[]> {
  const by = Number.MAX_SAFE_INTEGER;
  const now = seconds(Date.now());
  const written: Stored<Open>[] = [];
  await mapLimit(numbers(count), AT_A_TIME, async (nth) => {
    const target = inTurn(arrays, nth);
    const [leaseId, attemptId] = [`due-${nth}`, randomUUID()];
    const intent = { leaseId, attemptId, target, leaseSeconds: 60, openingUntil: now - HOUR_SECONDS + 30 };
    const intended = intend(undefined, intent, now - HOUR_SECONDS);
    if ('serve' in intended) throw new Error('nothing is served here');
    const context = sealContext(leaseId, target);
    const sealed = seal.seal(await seal.dataKey(context, by), authToken(randomUUID()), context);
    const recorded = record(intended.write, { username: 'pureuser', sealed });
    const open = await store.write(recorded, undefined, by);
    if (open === undefined) throw new Error('the ledger has this lease');
    // The slots are not due: an array's are looked at every ten minutes, whatever number of leases is.
    await store.keepSlot(target.name, { attemptId, leaseId, until: now + HOUR_SECONDS }, by);
    written.push(open);
  });
  return written;
}
