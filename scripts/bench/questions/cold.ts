/** What a cold start costs, from the start of the process to the first lease, and what each function's code adds to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageNow } from '../../start/surroundings.ts';
import { type Imported, importAll, importsTable } from '../cold/imports.ts';
import { type Empty, type Login, partsTable } from '../cold/parts.ts';
import { openStage, type Stage } from '../cold/stage.ts';
import { type Comparison, compare, type Rounds } from '../compare.ts';
import { intervalOf } from '../measure.ts';
import { times } from '../numbers.ts';
import type { Answer, Question, Settings, Table } from '../question.ts';

const EMPTY = 'empty handler';
const LOGIN = 'login, first lease';
const FIRST_EVER = `${LOGIN} that its array ever has`;
const GOALS = { cpu: 3, kib: 350 };

export const cold: Question = {
  name: 'cold',
  title: "From the start of a function's process to its first lease",
  ask: (settings) => askCold(settings),
};

/** `given`: directory with the zips and the template of functions that are packaged already. Default: they are packaged first. */
export async function askCold({ quick, seed }: Settings, given?: string): Promise<Answer> {
  await using stack = new AsyncDisposableStack();
  const packaged = given ?? (await packageNow(stack, () => {}));
  const folder = await mkdtemp(join(tmpdir(), 'flashblade-cold-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const stage = await openStage(packaged, stack);
  const started = await startAll(stage, { ...(quick ? { rounds: 1, warmUp: 1 } : { rounds: 100, warmUp: 3 }), seed });
  const rounds = { ...(quick ? { rounds: 1, warmUp: 0 } : { rounds: 25, warmUp: 2 }), seed };
  const imports = await importAll(stage, { packaged, folder }, rounds);
  const cpu = started.compared.find(({ name }) => name === LOGIN)?.cpu.ratio ?? intervalOf([]);
  const largest = largestOf(imports);
  return {
    tables: [startTable(started.compared), partsTable(started.logins, started.empties), importsTable(imports)],
    ratios: started.compared.map(({ name, cpu: { ratio } }) => ({
      label: name,
      measured: ratio,
      ...(name === LOGIN ? { goal: GOALS.cpu } : {}),
    })),
    goals: [
      { what: `CPU of ${LOGIN}`, atMost: GOALS.cpu, measured: cpu, unit: '×' },
      {
        what: `largest bundle, ${largest.name}`,
        atMost: GOALS.kib,
        measured: intervalOf([largest.kib]),
        unit: 'KiB',
      },
    ],
    notes: [
      "Both handlers run under AWS's own runtime client, with the variables of the packaged template; its native HTTP client is replaced by one over node:http, which the empty handler therefore loads, too.",
      'CPU time is that of all threads of the process, those that ended included: node:tls reads its certificates in one. What ended is known by the process only, a moment before others are looked at from outside: "secret" is told about 2 ms too small for it, and what follows the login too large. Where a part ends with an answer, reading that answer belongs to the next part.',
      'Time contains what the stand-ins for AWS and the array take, on the same machine, and no network. AWS is reached over HTTP: TLS with it is not contained.',
      'The array had a lease before, as nearly all have, and the parts are of that: its first ever takes three calls of AWS more, once.',
    ],
  };
}

type Started = {
  readonly compared: readonly Comparison[];
  readonly empties: readonly Empty[];
  readonly logins: readonly Login[];
};

/** The n-th of `empties` and the n-th of `logins` are of the same round. */
async function startAll({ startEmpty, startLogin, startFirstLogin }: Stage, rounds: Rounds): Promise<Started> {
  const empties: Empty[] = [];
  const logins: Login[] = [];
  const noted =
    <Kind extends Empty>(start: () => Promise<Kind>, list: Kind[]) =>
    async () => {
      const points = await start();
      list.push(points);
      return points.done;
    };
  const compared = await compare(
    [
      { name: EMPTY, floor: EMPTY, run: noted(startEmpty, empties) },
      { name: LOGIN, floor: EMPTY, run: noted(startLogin, logins) },
      { name: FIRST_EVER, floor: EMPTY, run: noted(startFirstLogin, []) },
    ],
    rounds,
  );
  return { compared, empties: empties.slice(rounds.warmUp), logins: logins.slice(rounds.warmUp) };
}

function largestOf(imports: readonly Imported[]): Imported {
  const [largest] = imports.toSorted((a, b) => b.kib - a.kib);
  if (largest === undefined) throw new Error('there is no function');
  return largest;
}

const startTable = (compared: readonly Comparison[]): Table => ({
  columns: ['from process start to', 'CPU ms', `CPU, × ${EMPTY}`, 'time ms', `time, × ${EMPTY}`],
  rows: compared.map(({ name, cpu, wall }) => [
    name,
    cpu.ms.median.toFixed(1),
    times(cpu.ratio),
    wall.ms.median.toFixed(1),
    times(wall.ratio),
  ]),
});
