/** How many leases one sweep closes, if it waits for arrays and AWS but needs no CPU. Runs in virtual time. */
import { FlashBladeError } from '../../lib/core/errors.ts';
import { openSession } from '../../lib/leases/open.ts';
import { sweep } from '../../lib/leases/sweep.ts';
import { plainSeal } from '../../lib/testing/seal.ts';
import { memoryFleet, portsOver } from '../kit/memory/fleet.ts';
import { type Call, direct, type Hook } from '../kit/memory/hook.ts';
import { API_TOKEN } from '../kit/memory/world.ts';
import { virtualClock } from './world/clock.ts';

/** The sweeper's timeout in serverless.yml. */
export const SWEEP_SECONDS = 55;
/** How many calls to one AWS service are sent at the same time. More calls wait. */
const AWS_CONNECTIONS = 50;

export type Times = { readonly arrayMs: number; readonly awsMs: number };

/** Sweeps a fleet with `due` expired leases, evenly spread over the arrays. `ms` is how long the sweep took. */
export async function sweepOnce(arrays: number, due: number, { arrayMs, awsMs }: Times) {
  const clock = virtualClock(1_800_000_000_000);
  const fleet = memoryFleet({ now: clock.now, seal: plainSeal });
  let ids = 0;
  const portsWith = (hook: Hook) =>
    portsOver(fleet, hook, {
      limits: { sessionsPerArray: Number.POSITIVE_INFINITY, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
      report: () => {},
      now: clock.now,
      random: () => 0.5,
      newId: () => `id-${++ids}`,
    });
  for (let n = 0; n < arrays; n++) fleet.add(`fb${n}`, API_TOKEN);
  for (let n = 0; n < due; n++) {
    const request = { array: `fb${n % arrays}`, leaseId: `job-${n}`, leaseSeconds: 60 };
    await openSession(portsWith(direct), request, clock.now() + 60_000);
  }
  await clock.runUntil(clock.now() + 61_000);

  const pass = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const services = { store: awsService(pass), seal: awsService(pass) };
  const slow: Hook = async <T>({ port, by, act }: Call<T>): Promise<T> => {
    if (port !== 'store' && port !== 'seal') await pass(arrayMs);
    else await services[port](awsMs);
    if (clock.now() > by) throw new FlashBladeError('OUT_OF_TIME', 'no time was left');
    return act();
  };
  const deadline = clock.now() + SWEEP_SECONDS * 1000;
  const startedAt = clock.now();
  const swept = sweep(portsWith(slow), deadline).then((result) => ({ ...result, ms: clock.now() - startedAt }));
  await clock.runUntil(deadline);
  return { ...(await swept), open: fleet.arrays.sessions.size };
}

/** Lets a limited number of calls pass at the same time. */
function awsService(pass: (ms: number) => Promise<void>) {
  const waiting: (() => void)[] = [];
  let free = AWS_CONNECTIONS;
  return async (ms: number): Promise<void> => {
    if (free === 0) await new Promise<void>((resolve) => void waiting.push(resolve));
    else free -= 1;
    await pass(ms);
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
}
