/** Leases that nobody closed, as a sweep finds them. */
import { randomUUID } from 'node:crypto';
import type { LeaseStore } from '../../../lib/edges/leases.ts';
import { type Seal, sealContext, sealToken } from '../../../lib/edges/seal.ts';
import type { Open } from '../../../lib/ground/lease-items.ts';
import { intend, record } from '../../../lib/ground/lease-states.ts';
import { authToken, type FlashBlade } from '../../../lib/ground/model.ts';
import { eachOf } from '../../../lib/ground/pool.ts';
import { seconds } from '../../../lib/ground/time.ts';
import { inTurn, numbers } from './place.ts';

const HOUR_SECONDS = 3600;
const AT_A_TIME = 16;

/** Writes `count` open leases that have expired, shared out evenly among the arrays, each with its slot. */
export async function writeDueLeases(
  { leases, seal }: { readonly leases: LeaseStore; readonly seal: Seal },
  arrays: readonly FlashBlade[],
  count: number,
): Promise<Open[]> {
  const by = Number.MAX_SAFE_INTEGER;
  const now = seconds(Date.now());
  const written: Open[] = [];
  await eachOf(numbers(count), AT_A_TIME, async (nth) => {
    const target = inTurn(arrays, nth);
    const [leaseId, attemptId] = [`due-${nth}`, randomUUID()];
    const intent = { leaseId, attemptId, target, leaseSeconds: 60, openingUntil: now - HOUR_SECONDS + 30 };
    const intended = intend(undefined, intent, now - HOUR_SECONDS);
    if ('serve' in intended) throw new Error('nothing is served here');
    const context = sealContext(leaseId, target);
    const sealed = sealToken(await seal.dataKey(context, by), authToken(randomUUID()), context);
    const recorded = record(intended.write, intended.write, { username: 'pureuser', sealed });
    const open: Open = { ...recorded, version: randomUUID() };
    await leases.write(open, undefined, by);
    // The slots are not due: an array's are looked at every ten minutes, whatever number of leases is.
    await leases.keepSlot(target.name, { attemptId, leaseId, until: now + HOUR_SECONDS }, by);
    written.push(open);
  });
  return written;
}
