/** Shows the life of a session, step by step: `npm start`, or `npm start -- --help`. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { compareVersions, withLease } from '../lib/index.ts';
import { type Command, readCommand, USAGE } from './start/arguments.ts';
import { explain, must } from './start/failures.ts';
import { closeTheRest, lookOf } from './start/functions.ts';
import { type Interruption, listenForSignals } from './start/interruption.ts';
import { createScreen, type Say, type Screen } from './start/screen.ts';
import { packageNow, type Surroundings, surround } from './start/surroundings.ts';

const READ_MS = 5000;
const LEASE = { leaseSeconds: 900, owner: 'npm-start' };

type Step = <T>(title: string, work: (say: Say) => Promise<T>) => Promise<T>;

/** The story. Every step throws if what happened is not what should. */
async function tell(surroundings: Surroundings, step: Step): Promise<void> {
  const { array, edges, functions } = surroundings;
  const request = { array: array.name, leaseId: `demo-${randomBytes(3).toString('hex')}`, ...LEASE };

  await step("1  The array's secret in AWS Secrets Manager", async (say) => {
    const secret = await edges.secrets.read(array.name, { by: Date.now() + READ_MS });
    const { name, host, port, trust } = secret.array;
    say(`${name}: host ${host}, port ${port}, trust ${trust.kind}, API token ${secret.apiToken}`);
  });

  const lease = await step('2  login is invoked: a session, and a lease for the caller', async (say) => {
    const opened = await functions.openLease(request);
    say(JSON.stringify(opened, undefined, 2));
    must(opened.leaseId === request.leaseId && opened.array === array.name, 'the lease is not the one asked for');
    return opened;
  });

  await step('3  The ledger in DynamoDB, the auth token sealed by KMS', async (say) => {
    const item = (await surroundings.ledger()).find(({ leaseId }) => leaseId === lease.leaseId);
    const sealed = String(item?.['sealed'] ?? '');
    say(`${item?.['id']}  state ${item?.['state']}  attemptId ${item?.['attemptId']}`);
    say(`sealed ${sealed.slice(0, 32)}… (${sealed.length} characters)`);
    must(item?.['state'] === 'OPEN' && sealed !== '', 'the ledger does not hold the open lease');
  });

  const sessionsLeft = await step('4  A call under the lease', (say) =>
    withLease(
      lease.leaseId,
      async (use) => {
        const secret = await edges.secrets.read(array.name, { by: Date.now() + READ_MS });
        const version = newestOf(await surroundings.apiVersions(secret.array));
        const { status, body } = await use.request({ method: 'GET', path: `/api/${version}/arrays` });
        say(`GET /api/${version}/arrays → ${status} ${JSON.stringify(firstItem(body))}`);
        must(status === 200, `the array answered ${status}`);
        return array.watch(use, version);
      },
      { edges },
    ),
  );

  await step('5  The same login again: idempotent', async (say) => {
    const again = await functions.openLease(request);
    must(isDeepStrictEqual(again, lease), 'the same request got another lease');
    say('the same lease, its end unchanged');
  });

  await step('6  logout is invoked', async (say) => {
    const result = await functions.closeLease(lease.leaseId);
    say(JSON.stringify(result));
    must(result.outcome === 'CLOSED', 'the session was not closed now');
  });

  await step('7  logout again: harmless', async (say) => {
    const { outcome } = await functions.closeLease(lease.leaseId);
    say(outcome);
    must(outcome === 'ALREADY_CLOSED', 'the session had not been closed before');
  });

  await step("8  The array's own list of live sessions", async (say) => {
    const look = lookOf(functions, edges, { ...request, leaseId: `${request.leaseId}-look` });
    const { live, told } = await sessionsLeft(look);
    say(told);
    must(live === 0, 'a session is left on the array');
  });
}

/** The newest of REST 2; of REST 1 on an array that has no other. */
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

async function show(command: Command, screen: Screen, interruption: Interruption): Promise<void> {
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  screen.row('flashblade-sessions: the life of a session', ['ms', 'AWS', 'array']);
  const packaged =
    command.packaged ??
    (await screen.step('   Building and packaging the functions, some seconds', () => packageNow(stack)));
  interruption.throwIfInterrupted();
  const surroundings = await screen.step('   Starting the surroundings', (say) =>
    surround(command, packaged, stack, say),
  );
  stack.defer(() => closeTheRest(surroundings.functions, screen));
  const { calls, array } = surroundings;

  await tell(surroundings, (title, work) => {
    interruption.throwIfInterrupted();
    return screen.step(title, work, calls.counts);
  });
  const total = await calls.counts();
  screen.row('9  Together', [Math.round(performance.now() - startedAt), total.aws, total.array]);
  const services = (['secretsmanager', 'dynamodb', 'kms'] as const).map((name) => `${name} ${calls.ofService(name)}`);
  screen.line(`   AWS calls: ${services.join(', ')}; array calls: ${total.array}`);
  screen.line(`Every step did what it should, and the session on ${array.name} has ended.`, 'green');
}

/** Returns the exit code: 0 if every step did what it should, 1 if not, 2 for bad arguments, 130 or 143 after a signal. */
async function main(): Promise<number> {
  const screen = createScreen(process.stdout, () => performance.now());
  let command: Command;
  try {
    command = readCommand(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n\n${USAGE}\n`);
    return 2;
  }
  if (command.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const interruption = listenForSignals((signal) => screen.line(`${signal}: closing what is open …`));
  try {
    await show(command, screen, interruption);
    return interruption.exitCode() ?? 0;
  } catch (error) {
    if (interruption.exitCode() === undefined) screen.line(`FAILED  ${explain(error)}`, 'red');
    return interruption.exitCode() ?? 1;
  }
}

process.exitCode = await main();
