/** Measures the cost of each function's cold start, from process start to result, in total and by phase. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BUNDLE_LIMIT_KIB, ROOT } from '../../scripts/build.ts';
import type { Lambda, Outcome } from '../../test/kit/lambda/lambda.ts';
import { resultOf } from '../../test/kit/lambda/outcome.ts';
import { FUNCTIONS, type FunctionName } from '../../test/kit/packaged.ts';
import { perform } from '../../test/packaged/counters/rounds.ts';
import { type Contender, compare, intervalOf, type Usage } from '../compare.ts';
import { openStage, type Stage } from '../functions.ts';
import type { Answer, Cell, Question } from '../report.ts';

const EMPTY = 'empty handler';
const FIRST_EVER = 'login, first lease on an array';

/** `asked` covers the time until the process requested its first invocation. The other fields include the time until the result. */
type ColdStart = Usage & { readonly asked: Usage };

export const cold: Question = {
  name: 'cold',
  title: "From the start of a function's process to its first result",
  ask: async (quick): Promise<Answer> => {
    await using stack = new AsyncDisposableStack();
    const stage = await openStage(quick, stack);
    const compared = await compare(
      await contenders(stage),
      quick ? { rounds: 1, warmUp: 0 } : { rounds: 25, warmUp: 2 },
    );
    const kib = new Map<string, number>();
    for (const name of FUNCTIONS) kib.set(name, await bundleKib(name));
    const empties = compared.find(({ name }) => name === EMPTY)?.samples ?? [];
    const median = (values: readonly number[]): number => intervalOf(values).median;
    return {
      tables: [
        {
          columns: [
            'handler',
            'bundle KiB',
            'CPU ms',
            'boot',
            'import',
            'work',
            'CPU, × empty',
            'time ms',
            'time, × empty',
          ],
          rows: compared.map(({ name, cpu, wall, samples }): Cell[] => {
            const boot = empties.map(({ asked }) => asked.cpuMs);
            const importing = samples.map(({ asked }, round) => asked.cpuMs - (boot[round] ?? Number.NaN));
            const work = samples.map(({ cpuMs, asked }) => cpuMs - asked.cpuMs);
            const parts = [median(boot), name === EMPTY ? 0 : median(importing), median(work)];
            return [name, kib.get(name) ?? '', cpu.ms.median, ...parts, cpu.ratio, wall.ms.median, wall.ratio];
          }),
        },
      ],
      goals: [
        ...compared
          .filter(({ name }) => name === 'login')
          .map(({ cpu }) => ({ what: 'CPU for login', measured: cpu.ratio, atMost: 3 })),
        {
          what: 'KiB in the largest bundle',
          measured: intervalOf([Math.max(...kib.values())]),
          atMost: BUNDLE_LIMIT_KIB,
        },
      ],
      notes: [
        "All handlers run under AWS's runtime client. CPU is the time across all threads, as reported by the process itself.",
        'Boot is the time until the empty handler requests its first invocation. Import is the additional time until the function requests its first invocation, including its connection to DynamoDB. Work is the time from then until the result.',
        "The array has already had a lease, like nearly all arrays. An array's first lease takes three more AWS calls.",
        'All times include the stand-ins, which run on the same machine, but no network and no TLS connection to AWS.',
      ],
    };
  },
};

async function contenders(stage: Stage): Promise<Contender<ColdStart>[]> {
  const empty = await stage.startHandler('empty');
  let starts = 0;
  // An array's first lease creates the array's ledger item.
  await perform(stage, 'login', 'first', (invoke) => invoke());

  const operation = async (name: FunctionName): Promise<ColdStart> => {
    const started = Promise.withResolvers<ColdStart>();
    const invoke = async (of: FunctionName, event: unknown): Promise<Outcome> => {
      const { outcome, ...start } = await coldStart(stage.lambdaOf(of), event);
      started.resolve(start);
      return outcome;
    };
    await perform({ ...stage, invoke }, name, `cold-${++starts}`, (run) => run());
    return started.promise;
  };
  const firstEver = async (): Promise<ColdStart> => {
    const [array, leaseId] = [`new-${++starts}`, `cold-${starts}`];
    stage.addArray(array);
    const { outcome, ...start } = await coldStart(stage.lambdaOf('login'), { array, leaseId });
    resultOf(outcome);
    await stage.logout({ leaseId });
    return start;
  };
  return [
    { name: EMPTY, baseline: EMPTY, run: () => coldStart(empty, {}) },
    { name: FIRST_EVER, baseline: EMPTY, run: firstEver },
    ...FUNCTIONS.map((name) => ({ name, baseline: EMPTY, run: () => operation(name) })),
  ];
}

async function coldStart(lambda: Lambda, event: unknown): Promise<ColdStart & { readonly outcome: Outcome }> {
  await lambda.kill();
  const startedAt = performance.now();
  const usage = (): Usage => ({ wallMs: performance.now() - startedAt, cpuMs: lambda.cpuMs ?? Number.NaN });
  let asked: Usage | undefined;
  // The event is converted to JSON when the process requests an invocation.
  const toJSON = (): unknown => {
    asked = usage();
    return event;
  };
  const outcome = await lambda.invoke({ toJSON });
  if (asked === undefined) throw new Error(`a process did not request an invocation: ${JSON.stringify(outcome)}`);
  return { ...usage(), asked, outcome };
}

const bundleKib = async (name: FunctionName): Promise<number> =>
  (await stat(resolve(ROOT, `dist/functions/${name}.mjs`))).size / 1024;
