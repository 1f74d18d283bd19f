/** `npm run prove` runs every proof. Each one tries to make the product break its promise. */
import { availableParallelism } from 'node:os';
import setUpPackages from '../test/kit/package-once.ts';
import { proveCanaries } from '../test/packaged/canaries/prove-canaries.ts';
import { ALL_CASES, FAULT_KINDS, proveFaults } from '../test/proofs/faults.ts';
import { proveHostile } from '../test/proofs/hostile/prove-hostile.ts';
import { proveKills } from '../test/proofs/kills.ts';
import { proveSchedules } from '../test/proofs/prove-schedules.ts';
import { runSchedule } from '../test/proofs/schedules.ts';
import { stampede, stampedeOutside } from '../test/proofs/stampede.ts';
import { DIMENSION_NAMES, type Dimension } from '../test/proofs/world/dimensions.ts';
import { commandOfProcess, parsed } from './command-line.ts';

const SCHEDULES_PER_DIMENSION = 9100;
const KILLS_PER_SEED = 150;
const STAMPEDES = 50;

const USAGE = `npm run prove -- [options]

Runs every proof. Each one tries to make the product break its promise. Takes several minutes.

  --seed <number>   replay only one schedule, step by step
  --world <name>    with --seed: the schedule's world; default: 'plain'
  --inputs          with --seed: replay hostile inputs instead of a schedule
  --help

Exit codes: 0 if the promise held, 1 if not, 2 for invalid arguments.`;

type Proof = { readonly what: string; readonly wrong: readonly string[] };

async function schedules(): Promise<Proof> {
  const {
    schedules: count,
    happened,
    wrong,
  } = await proveSchedules(DIMENSION_NAMES, {
    ...{ from: 1, count: SCHEDULES_PER_DIMENSION, processes: availableParallelism() },
  });
  const of = (name: string): string => `${(happened[name] ?? 0).toLocaleString('en')}`;
  const crashes = (happened['died before'] ?? 0) + (happened['died after'] ?? 0);
  const what = `${count.toLocaleString('en')} schedules in ${DIMENSION_NAMES.length} simulated worlds: ${of('LoginSucceeded')} sessions, ${crashes.toLocaleString('en')} crashes, ${of('stopped')} pauses, ${of('lost')} lost responses, ${of('SuspectRecorded')} SUSPECTs`;
  const replay = (seed: number, world: Dimension): string => `npm run prove -- --seed ${seed} --world '${world}'`;
  return {
    what,
    wrong: wrong.map(({ seed, dimension, what: why }) => `${why}; to replay, run: ${replay(seed, dimension)}`),
  };
}

async function stampedes(): Promise<Proof> {
  const wrong: string[] = [];
  let most = 0;
  for (let seed = 1; seed <= STAMPEDES; seed++) {
    for (const options of [{ seed }, { seed, leases: 1 }]) {
      const result = await stampede(options);
      most = Math.max(most, result.most);
      if (result.wrong !== undefined) wrong.push(`${JSON.stringify(options)}: ${result.wrong}`);
    }
  }
  return { what: `${2 * STAMPEDES} stampedes of 500 calls: at most ${most} sessions at once (limit: 50)`, wrong };
}

async function outside(): Promise<Proof> {
  const { opened, refused, most, wrong } = await stampedeOutside();
  return {
    what: `${opened + refused.length} calls over real ports: at most ${most} sessions at once (limit: 10)`,
    wrong,
  };
}

async function kills(): Promise<Proof> {
  const results = await Promise.all([1, 2].map((seed) => proveKills({ seed, kills: KILLS_PER_SEED })));
  const count = results.reduce((sum, result) => sum + result.kills, 0);
  return { what: `${count} processes killed while working`, wrong: results.flatMap((result) => result.wrong) };
}

async function faults(): Promise<Proof> {
  const { cases, leastLeftMs, wrong } = await proveFaults(ALL_CASES);
  return {
    what: `${cases} faults of ${FAULT_KINDS} kinds: no token leaked; the slowest call returned ${leastLeftMs} ms before its timeout`,
    wrong,
  };
}

async function hostile(): Promise<Proof> {
  const { inputs, sent, compared, wrong } = await proveHostile();
  const what = `${inputs.toLocaleString('en')} hostile events, secrets and responses, and ${sent.toLocaleString('en')} sent over the wire: no token leaked; ${compared.toLocaleString('en')} HTTP responses parsed exactly as Node parses them`;
  return { what, wrong };
}

async function canaries(): Promise<Proof> {
  const { cases, searched, wrong } = await proveCanaries();
  const millions = (searched / 1e6).toFixed(1);
  return {
    what: `${cases.toLocaleString('en')} attempts to leak a token, in ${millions} million characters: none succeeded`,
    wrong,
  };
}

async function proveAll(): Promise<void> {
  await setUpPackages();
  for (const prove of [schedules, stampedes, outside, kills, faults, hostile, canaries]) {
    const startedAt = performance.now();
    const { what, wrong } = await prove();
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${wrong.length === 0 ? 'held' : 'BROKEN'}  ${what} (${seconds} s)`);
    for (const line of wrong) console.log(`        ${line}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
}

async function replaySchedule(seed: number, world: Dimension): Promise<void> {
  const { wrong } = await runSchedule(seed, world, console.log);
  console.log(
    wrong === undefined ? `Schedule ${seed}: the promise held.` : `Schedule ${seed}: the promise was BROKEN: ${wrong}`,
  );
  if (wrong !== undefined) process.exitCode = 1;
}

async function replayInputs(seed: number): Promise<void> {
  const { inputs, sent, compared, wrong } = await proveHostile([seed]);
  for (const line of wrong) console.log(line);
  console.log(
    `Hostile inputs for seed ${seed}: ${inputs} parsed, ${sent} sent over the wire, ${compared} compared with Node. ${wrong.length} checks failed.`,
  );
  if (wrong.length > 0) process.exitCode = 1;
}

type Command = { readonly inputs: boolean; readonly seed: number | undefined; readonly world: Dimension };

const OPTIONS = {
  seed: { type: 'string' },
  world: { type: 'string' },
  inputs: { type: 'boolean', default: false },
} as const;

/** Throws an Error that names the option and the rule it breaks. */
function readCommand(args: readonly string[]): Command | 'help' {
  const { help, seed, inputs, world = 'plain' } = parsed(args, OPTIONS).values;
  if (help) return 'help';
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) throw new Error('--seed must be a whole number');
  if (inputs && seed === undefined) throw new Error('--inputs requires --seed');
  const dimension = DIMENSION_NAMES.find((name) => name === world);
  if (dimension === undefined) throw new Error(`--world must be one of ${DIMENSION_NAMES.join('; ')}`);
  return { inputs, world: dimension, seed: seed === undefined ? undefined : Number(seed) };
}

const command = commandOfProcess(readCommand, USAGE);
if ('exitCode' in command) process.exitCode = command.exitCode;
else if (command.seed === undefined) await proveAll();
else if (command.inputs) await replayInputs(command.seed);
else await replaySchedule(command.seed, command.world);
