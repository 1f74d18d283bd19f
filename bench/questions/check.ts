/**
 * Runs the stack's state machine over a simulated fleet, with the packaged function in processes of its own: what it finds, how long it
 * takes, and what it costs.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetResult } from '../../lib/fleet/check.ts';
import type { Lambda, Outcome } from '../../test/kit/lambda/lambda.ts';
import { eventsOf, metricLinesOf, metricsOf } from '../../test/packaged/functions/logs.ts';
import { changed } from '../../test/packaged/infra/template.ts';
import { execute } from '../../test/packaged/workflows/deployment.ts';
import { fleetCheckMachine } from '../../test/packaged/workflows/machine.ts';
import { intervalOf } from '../compare.ts';
import { openStage, type Stage } from '../functions.ts';
import type { Answer, Cell, Question } from '../report.ts';

const ONE_IN = 20;
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:fleet-check:bench';
const CHECKS_PER_MONTH = 2880;
/** The function's memory in the template. */
const GIB = 1;
/** us-east-1 list prices from July 2025, in US dollars, as in docs/operations.md. */
const PRICES = {
  'Lambda, GB-seconds': 0.0000133334,
  'Lambda, requests': 0.0000002,
  'Step Functions, state transitions': 0.000025,
  'Secrets Manager, GetSecretValue': 0.000005,
  'Secrets Manager, ListSecrets': 0.000005,
  'DynamoDB, writes (one unit each, without index entries)': 0.000000625,
  'DynamoDB, reads': 0.000000125,
  'KMS, requests': 0.000003,
} as const;

type Death = (socket: Socket) => unknown;
const DEATHS: readonly Death[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resume(),
  (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
];

export const check: Question = {
  name: 'check',
  title: 'A check of the whole fleet by the state machine, 5% of the arrays dead',
  ask: async (quick): Promise<Answer> => {
    await using stack = new AsyncDisposableStack();
    const arrays = quick ? 300 : 10_000;
    const stage = await openStage(quick, stack);
    const deployed = fleetCheckMachine();
    // One CPU is for the arrays and AWS, which all share this process. With fewer CPUs, they would respond too late.
    const processes = quick ? 1 : Math.max(1, availableParallelism() - 1);
    // A part must not wait for a process, because the time limit of its task would include the wait.
    const concurrency = Math.min(deployed.States['Parts']?.MaxConcurrency ?? 1, processes);
    const machine = changed(deployed, 'States/Parts/MaxConcurrency', concurrency);
    const hosts = await Promise.all(DEATHS.map((death) => listen(death, stack)));
    const dead = new Set<string>();
    // openStage adds one array of its own, which counts.
    for (let n = 1; n < arrays; n++) {
      const name = `fb${String(n).padStart(5, '0')}`;
      if (n % ONE_IN === 1) dead.add(name);
      stage.addArray(name, dead.has(name) ? { host: hosts[dead.size % hosts.length] } : {});
    }

    const all = await Promise.all(Array.from({ length: concurrency }, () => stage.startFunction('check-fleet')));
    const free = [...all];
    let invocations = 0;
    let functionMs = 0;
    const calls = stage.aws.calls.length;
    const startedAt = performance.now();
    const invoke = async (_name: string, _state: string, event: unknown): Promise<Outcome> => {
      const lambda = free.pop();
      if (lambda === undefined) throw new Error('The machine runs more parts at a time than there are processes');
      const begun = performance.now();
      try {
        return await lambda.invoke(event);
      } finally {
        invocations += 1;
        functionMs += performance.now() - begun;
        free.push(lambda);
      }
    };
    const { output, transitions, status, error } = await execute(machine, EXECUTION, {}, invoke, { waits: true });
    const seconds = (performance.now() - startedAt) / 1000;
    if (status !== 'SUCCEEDED') throw new Error(`the execution failed: ${error}`);
    const result = output as FleetResult;
    const made = stage.aws.calls.slice(calls);
    const count = (service: string, actions: RegExp): number =>
      made.filter((call) => call.service === service && actions.test(call.action)).length;
    const log = all.map((lambda) => lambda.output).join('');
    const unhealthy = eventsOf(log, 'ArrayUnhealthy').map((line) => ({
      name: String(line['array']),
      code: String(line['code']),
    }));
    const wrong = unhealthy.filter(({ name }) => !dead.has(name));
    const falseAlarms = wrong.length;
    const codes = Map.groupBy(wrong, ({ code }) => code);
    const unchecked = Map.groupBy(eventsOf(log, 'ArrayNotChecked'), (line) => String(line['code']));
    const failed = Map.groupBy(eventsOf(log, 'InvocationFailed'), (line) => String(line['code']));
    const toSweep = stage.simulator.sessions().length;
    const left = toSweep === 0 ? 0 : await sweep(stage);
    const cpuMs = all.reduce((sum, lambda) => sum + (lambda.cpuMs ?? 0), 0);
    const metrics = new Set(
      metricLinesOf(log)
        .flatMap(metricsOf)
        .map((line) => line.replace(/ \S+ (\w+) \{/, ' {')),
    );
    const units: Record<keyof typeof PRICES, number> = {
      'Lambda, GB-seconds': (GIB * functionMs) / 1000,
      'Lambda, requests': invocations,
      'Step Functions, state transitions': transitions,
      'Secrets Manager, GetSecretValue': count('secretsmanager', /^GetSecretValue$/),
      'Secrets Manager, ListSecrets': count('secretsmanager', /^ListSecrets$/),
      'DynamoDB, writes (one unit each, without index entries)': count('dynamodb', /^(Put|Update|Delete)Item$/),
      'DynamoDB, reads': count('dynamodb', /^(GetItem|Query)$/),
      // Secrets Manager decrypts each secret with the stack's key.
      'KMS, requests': count('kms', /./) + count('secretsmanager', /^GetSecretValue$/),
    };
    const costs = Object.entries(PRICES).map(([what, price]): Cell[] => {
      const used = units[what as keyof typeof PRICES];
      return [what, Math.round(used), used * price, used * price * CHECKS_PER_MONTH];
    });
    const counted = (what: string, measured: number) => ({ what, measured: intervalOf([measured]), atMost: 0 });
    return {
      tables: [
        {
          columns: ['a check', 'result'],
          rows: [
            ['arrays', arrays],
            ['dead arrays (refusing, hanging, answering garbage)', dead.size],
            ['parts at a time', all.length],
            ['duration, s', seconds],
            ['invocations', invocations],
            ...[...failed].map(([code, { length }]) => [`failed invocations, ${code}`, length]),
            ['function CPU per array, ms', cpuMs / arrays],
            ['peak memory of a process, MiB', Math.max(...all.map(peakMiB))],
            ['checked', result.checked],
            ['not checked', result.notChecked],
            ...[...unchecked].map(([code, { length }]) => [`of these, ${code}`, length]),
            ['unhealthy', result.checked - result.healthy],
            ['healthy arrays reported unhealthy', falseAlarms],
            ...[...codes].map(([code, { length }]) => [`of these, ${code}`, length]),
            ['dead arrays reported healthy', dead.size - (unhealthy.length - falseAlarms)],
            ['sessions left to the sweeper', toSweep],
            ['sessions left after its sweeps', left],
            ['size of the summary, KiB', Buffer.byteLength(JSON.stringify(result)) / 1024],
            ['different CloudWatch metrics', metrics.size],
            ['log, MiB', Buffer.byteLength(log) / 2 ** 20],
          ],
        },
        {
          columns: ['cost', 'units per check', 'dollars per check', `dollars per month (${CHECKS_PER_MONTH} checks)`],
          rows: costs,
        },
      ],
      goals: [
        counted('healthy arrays reported unhealthy', falseAlarms),
        counted('dead arrays reported healthy', dead.size - (unhealthy.length - falseAlarms)),
        counted('arrays not checked', result.notChecked),
        counted('sessions left after the sweeps', left),
      ],
      notes: [
        'Arrays, AWS and all functions share the CPUs of one machine, so they take longer than in AWS, and arrays respond faster.',
        'All healthy arrays are names of one simulated FlashBlade. The ledger, KMS and Secrets Manager are stand-ins.',
        'Step Functions is an interpreter that counts the transitions, in child executions too, and enforces the 256 KiB limit.',
      ],
    };
  },
};

const SWEEPS = 6;

/** Runs the sweeper each minute, as the stack does, until the simulated array has no session. Returns how many are left. */
async function sweep({ invoke, simulator }: Stage): Promise<number> {
  for (let n = 0; n < SWEEPS && simulator.sessions().length > 0; n++) {
    await sleep(60_000);
    await invoke('sweep-sessions', {});
  }
  return simulator.sessions().length;
}

/** Starts a dead array. Returns its address. */
async function listen(death: Death, stack: AsyncDisposableStack): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    death(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The largest resident set that a process has had, or NaN on systems without /proc. */
function peakMiB({ pid }: Lambda): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
