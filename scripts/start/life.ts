/** Walks through one session's lifecycle on any array: opens, uses and closes the session, and checks that the session has ended. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { compareVersions } from '../../lib/index.ts';
import { withLease } from '../../lib/leases/use.ts';
import { must } from './failures.ts';
import { lookOf } from './functions.ts';
import type { Step } from './screen.ts';
import type { Surroundings } from './surroundings.ts';

const READ_MS = 5000;
const LEASE = { leaseSeconds: 900, owner: 'npm-start' };

/** Each step throws if its result is unexpected. */
export async function showOneSession(surroundings: Surroundings, step: Step): Promise<void> {
  const { array, ports, functions } = surroundings;
  const request = { array: array.name, leaseId: `demo-${randomBytes(3).toString('hex')}`, ...LEASE };

  await step("1  The array's secret in AWS Secrets Manager", async (say) => {
    const secret = await ports.secrets.read(array.name, { by: Date.now() + READ_MS });
    const { name, host, port, trust } = secret.array;
    say(`${name}: host ${host}, port ${port}, trust ${trust.kind}, API token ${secret.apiToken}`);
  });

  const lease = await step('2  login opens a session and returns a lease', async (say) => {
    const opened = await functions.openLease(request);
    say(JSON.stringify(opened, undefined, 2));
    must(opened.leaseId === request.leaseId && opened.array === array.name, 'login did not return the requested lease');
    return opened;
  });

  await step('3  The lease in DynamoDB, with its auth token sealed', async (say) => {
    const item = (await surroundings.deployment.items()).find(({ leaseId }) => leaseId === lease.leaseId);
    const sealed = String(item?.sealed ?? '');
    say(`${item?.id}  state ${item?.state}  attemptId ${item?.attemptId}`);
    say(`sealed ${sealed.slice(0, 32)}… (${sealed.length} characters)`);
    const { id, state, attemptId, sealed: _, target, ...others } = item ?? {};
    const { trust, ...address } = Object(target);
    say(JSON.stringify({ target: { ...address, trust: Object(trust).kind }, ...others }));
    must(item?.state === 'OPEN' && sealed !== '', 'the ledger does not contain the open lease');
  });

  const sessionsLeft = await step('4  A call under the lease', (say) =>
    withLease(ports, lease.leaseId, async (use) => {
      const secret = await ports.secrets.read(array.name, { by: Date.now() + READ_MS });
      const version = newestOf(await surroundings.apiVersions(secret.array));
      const { status, body } = await use.request({ method: 'GET', path: `/api/${version}/arrays` });
      say(`GET /api/${version}/arrays → ${status} ${JSON.stringify(firstItem(body))}`);
      must(status === 200, `the array responded with ${status}`);
      return array.watch(use, version);
    }),
  );

  await step('5  The same login again', async (say) => {
    const second = await functions.openLease(request);
    must(isDeepStrictEqual(second, lease), 'the same request returned a different lease');
    say('the same lease, with the same expiry');
  });

  await step('6  logout closes the session', async (say) => {
    const result = await functions.closeLease(lease.leaseId);
    say(JSON.stringify(result));
    must(result.outcome === 'CLOSED', 'logout did not close the session');
  });

  await step('7  A second logout is harmless', async (say) => {
    const { outcome } = await functions.closeLease(lease.leaseId);
    say(outcome);
    must(outcome === 'ALREADY_CLOSED', 'the first logout did not close the session');
  });

  await step("8  The array's own list of live sessions", async (say) => {
    const look = lookOf(functions, ports, { ...request, leaseId: `${request.leaseId}-look` });
    const { live, report } = await sessionsLeft(look);
    say(report);
    must(live === 0, 'a session is still open on the array');
  });
}

/** Returns the newest REST 2 version, or the newest REST 1 version if the array does not support REST 2. */
const newestOf = (versions: readonly string[]): string =>
  versions
    .filter((version) => compareVersions(version, '3') < 0)
    .toSorted(compareVersions)
    .at(-1) ?? '2.0';

function firstItem(body: unknown): unknown {
  const { items } = Object(body) as { items?: unknown };
  const { name, os, version } = Object(Array.isArray(items) ? items[0] : undefined) as Record<string, unknown>;
  return { name, os, version };
}
