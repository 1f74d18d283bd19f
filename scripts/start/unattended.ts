/** Shows unattended operation on simulated arrays: an event requests a session, a process is killed, time passes, and an array is down. */
import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FleetResult } from '../../lib/fleet/check.ts';
import type { SweepResult } from '../../lib/leases/sweep.ts';
import type { Deployment, Item } from '../../test/kit/deploy.ts';
import { resultOf } from '../../test/kit/lambda/outcome.ts';
import { requested } from '../../test/kit/memory/messages.ts';
import { must } from './failures.ts';
import type { Step } from './screen.ts';
import { likeReal, type SimulatedArray } from './simulated.ts';
import type { Surroundings } from './surroundings.ts';

const MINUTE_MS = 60_000;
const LEASE_SECONDS = 60;

/** Each step throws if its result is unexpected. */
export async function showUnattended(world: Surroundings, array: SimulatedArray, step: Step): Promise<void> {
  const { simulator } = array;
  const { deployment } = world;
  const byEvent = `job-${randomBytes(3).toString('hex')}`;
  const killed = `demo-${randomBytes(3).toString('hex')}`;
  const live = () => `live sessions on ${array.name}: ${simulator.sessions().length}`;

  const isRepeatable = await step(`9  An event requests a session on ${array.name}`, async (say) => {
    const deliver = queueWith(deployment, { array: array.name, leaseId: byEvent, leaseSeconds: LEASE_SECONDS });
    world.functions.unclosed.add(byEvent);
    const sent = await deliver();
    say(`Session Requested → session-events → ${JSON.stringify(sent)}`);
    must(simulator.sessions().length === 1, 'the array does not have exactly one session');
    return async () => isDeepStrictEqual(await deliver(), sent);
  });

  await step('10 The same event is delivered again', async (say) => {
    must(await isRepeatable(), 'the duplicate event returned a different lease');
    say(`session-events reports the same lease; ${live()}`);
    must(simulator.sessions().length === 1, 'the duplicate event opened another session');
  });

  const attemptId = await step('11 A login is killed after the array opened the session', async (say) => {
    array.onNextLogin(world.functions.killLogin);
    const request = { array: array.name, leaseId: killed, leaseSeconds: LEASE_SECONDS };
    say(`${await signalThatEnded(world.functions.openLease(request))} ended its process; ${live()}`);
    const item = await find(deployment, `lease#${killed}`);
    say(`${item?.id}  state ${item?.state}  attemptId ${item?.attemptId}`);
    must(item?.state === 'OPENING', 'the ledger has no record of the login');
    const session = simulator.sessions().find(({ requestId }) => requestId === item?.attemptId);
    must(session !== undefined, 'no session on the array matches the attempt recorded in the ledger');
    say("the array knows this attemptId as the session's X-Request-ID");
    return item?.attemptId;
  });

  await step('12 Two minutes later: the sweep', async (say) => {
    world.putForward(2 * MINUTE_MS);
    say(JSON.stringify(await sweep(deployment)));
    const expired = await find(deployment, `lease#${byEvent}`);
    must(expired?.state === 'CLOSED', 'the expired lease is not closed');
    say(`${expired?.id}  state ${expired?.state}  expired, so the sweep logged out`);
    world.functions.unclosed.delete(byEvent);
    const suspect = await find(deployment, `suspect#${attemptId}`);
    must(suspect !== undefined, 'the killed login is not recorded as a SUSPECT');
    say(`${suspect?.id}  SUSPECT: only the array can end this session; ${live()}`);
    must((await find(deployment, `lease#${killed}`)) === undefined, 'the killed login still blocks its lease');
    world.functions.unclosed.delete(killed);
    const left = simulator.sessions().map(({ requestId }) => requestId);
    must(isDeepStrictEqual(left, [attemptId]), 'the remaining session does not belong to the killed login');
  });

  await step('13 A fleet check of three arrays, one of which is down', async (say) => {
    const [second, off] = ['fb2', 'fb3', 'fb4'].filter((name) => name !== array.name);
    await deployment.startArray(String(second), likeReal());
    await (await deployment.startArray(String(off), likeReal())).stop();
    const { unhealthy, warnings, ...counts } = resultOf<FleetResult>(await deployment.invoke('check-fleet', {}));
    say(`${JSON.stringify(counts)} and ${warnings.length} warnings`);
    for (const { code, reason } of unhealthy) say(`${code}: ${reason}`);
    must(
      counts.checked === 3 && counts.healthy === 2,
      'the check did not find exactly two healthy arrays out of three',
    );
    must(
      unhealthy[0]?.array === off && unhealthy[0]?.code === 'ARRAY_UNREACHABLE',
      'the check reported the wrong array',
    );
    must(counts.unknownSessions === 0, 'the check found an unknown session');
  });

  await step('14 Forty minutes later, after the idle timeout', async (say) => {
    world.putForward(40 * MINUTE_MS);
    const ended = simulator.history.find(({ requestId }) => requestId === attemptId)?.ended;
    must(ended?.by === 'idleness', 'the array has not ended the idle session');
    say(`${array.name} ended the lost session because of ${ended?.by}; the sweep returned:`);
    say(JSON.stringify(await sweep(deployment)));
    const alive = deployment.simulators.flatMap(({ sessions }) => sessions()).length;
    const left = (await deployment.items()).filter(isUnfinished).map(({ id }) => id);
    say(`live sessions on all arrays: ${alive}; unfinished items in the ledger: ${left.length}`);
    must(left.length === 0, `the ledger still contains ${left.join(', ')}`);
    must(alive === 0, 'a session is still open on an array');
  });
}

/** Creates a request as EventBridge sends it to the queue. Each call delivers the request and returns the published event. */
function queueWith({ aws, deliver }: Deployment, detail: object): () => Promise<unknown> {
  const message = requested(detail, randomUUID());
  return async () => {
    const before = aws.events.sent.length;
    must((await deliver([message])).length === 0, 'session-events did not accept the message');
    const sent = aws.events.sent.slice(before).map(({ detailType, detail }) => ({ [detailType]: detail }));
    must(sent.length === 1 && sent[0]?.['Session Opened'] !== undefined, 'no Session Opened event was published');
    return sent[0];
  };
}

async function signalThatEnded(invocation: Promise<unknown>): Promise<string> {
  const name = await invocation.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? error.name : 'an error'),
  );
  must(name === 'SIGKILL', `the login process was not killed, but ended with ${name}`);
  return name;
}

const sweep = async ({ invoke }: Deployment): Promise<SweepResult> => resultOf(await invoke('sweep-sessions', {}));

const find = async ({ items }: Deployment, id: string) => (await items()).find((item) => item.id === id);

const isUnfinished = ({ kind, state }: Item): boolean => kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED');
