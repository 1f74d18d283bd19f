/** What the functions add to the array's own time: what they ask of AWS, and how much of it in a row. */
import { deployEverything, type Everything } from '../../../test/packaged/counters/deployment.ts';
import {
  OPERATION_NAMES,
  OPERATIONS,
  type OperationName,
  perform,
} from '../../../test/packaged/counters/operations.ts';
import { intervalOf, quantile } from '../measure.ts';
import { between } from '../numbers.ts';
import { ARRAY_MS, AWS_MS, type Trace, traced } from '../overhead/trace.ts';
import { havePackaged } from '../packaged.ts';
import type { Answer, Goal, Question, Settings, Table } from '../question.ts';

const GOALS: Partial<Record<OperationName, number>> = { login: 2, logout: 3 };

type Traces = { readonly name: OperationName; readonly cold: readonly Trace[]; readonly warm: readonly Trace[] };

export const overhead: Question = {
  name: 'overhead',
  title: 'What a function asks of AWS and of the array in one invocation',
  ask: async ({ quick }: Settings): Promise<Answer> => {
    await havePackaged(quick);
    const d = await deployEverything();
    try {
      // The first lease of an array writes its item, once.
      await perform(d, 'login', 'first', (invoke) => invoke());
      const all: Traces[] = [];
      for (const name of OPERATION_NAMES) all.push(await tracesOf(d, name, quick ? [1, 2] : [7, 20]));
      return {
        tables: [callTable(all), timeTable(all)],
        ratios: [],
        goals: all.flatMap(goalsOf),
        notes: [
          `The packaged functions under AWS's runtime client. Every AWS call takes ${AWS_MS} ms and every request to the array ${ARRAY_MS} ms longer than on this machine, so that it is plain which of them overlap.`,
          'In a row: the longest chain of AWS calls of which each arrived after the one before was answered.',
          'Own time: while neither AWS nor the array had anything to do; cold, the start of the process and its imports are in it.',
          'A secret is read once per process and then every five minutes: cold.',
          'On AWS, a new connection is a TLS handshake, too; the stand-ins talk HTTP.',
        ],
      };
    } finally {
      await d.stop();
    }
  },
};

async function tracesOf(
  d: Everything,
  name: OperationName,
  [coldRuns, warmRuns]: readonly [number, number],
): Promise<Traces> {
  const { of } = OPERATIONS[name];
  const runs = async (count: number, what: string, before: () => Promise<void>): Promise<Trace[]> => {
    const traces: Trace[] = [];
    for (let run = 0; run < count; run++) {
      const leaseId = `${name.replaceAll(/\W+/g, '-')}-${what}-${run}`;
      traces.push(
        await perform(d, name, leaseId, async (invoke) => {
          await before();
          return traced(d, invoke);
        }),
      );
    }
    return traces;
  };
  const cold = await runs(coldRuns, 'cold', () => d.lambdaOf(of).kill());
  return { name, cold, warm: await runs(warmRuns, 'warm', async () => {}) };
}

function goalsOf({ name, warm }: Traces): Goal[] {
  const atMost = GOALS[name];
  if (atMost === undefined) return [];
  const measured = intervalOf(warm.map(({ awsInARow }) => awsInARow));
  return [{ what: `AWS calls in a row of a warm ${name}`, atMost, measured, unit: 'calls' }];
}

const callTable = (all: readonly Traces[]): Table => ({
  columns: [
    'function',
    'process',
    'AWS calls',
    'in a row',
    'array requests',
    'connections to the array',
    'handshakes: full, resumed',
    'connections to AWS',
  ],
  rows: eachProcess(all, (traces) => {
    const counts = (name: keyof Trace['counts']): string => usual(traces.map((trace) => `${trace.counts[name]}`));
    return [
      usual(traces.map(({ aws }) => tally(aws))),
      usual(traces.map(({ awsInARow }) => `${awsInARow}`)),
      usual(traces.map(({ array }) => tally(array))),
      counts('connections'),
      `${counts('fullHandshakes')}, ${counts('resumedHandshakes')}`,
      counts('awsConnections'),
    ];
  }),
});

const timeTable = (all: readonly Traces[]): Table => ({
  columns: ['function', 'process', 'time ms', 'own time ms'],
  rows: eachProcess(all, (traces) => [
    quantile(
      traces.map(({ wallMs }) => wallMs),
      0.5,
    ).toFixed(0),
    between(intervalOf(traces.map(({ ownMs }) => ownMs))),
  ]),
});

const eachProcess = (all: readonly Traces[], cells: (traces: readonly Trace[]) => string[]): string[][] =>
  all.flatMap(({ name, cold, warm }) => [
    [name, 'cold', ...cells(cold)],
    [name, 'warm', ...cells(warm)],
  ]);

/** `2 dynamodb:PutItem, 1 kms:Decrypt` */
const tally = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)]
    .map(([name, same]) => `${same.length} ${name}`)
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10) || a.localeCompare(b))
    .join(', ');

/** What came most often. */
function usual(values: readonly string[]): string {
  const [most] = [...Map.groupBy(values, (value) => value)].sort(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? '';
}
