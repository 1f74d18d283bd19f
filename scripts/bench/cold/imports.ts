/** What it costs to import each bundle, with what it does at its start, above an empty module: a new process for each import. */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { unzip } from '../../../test/kit/lambda/lambda.ts';
import type { Variables } from '../../../test/kit/packaged.ts';
import { readTable } from '../../build/sizes.ts';
import { functionEntries } from '../../build.ts';
import { compare, type Rounds, type Usage } from '../compare.ts';
import { type Interval, intervalOf } from '../measure.ts';
import { between } from '../numbers.ts';
import type { Table } from '../question.ts';
import type { Stage } from './stage.ts';

export type Imported = {
  readonly name: string;
  /** Size of the bundle. */
  readonly kib: number;
  /** Of that, this project's own code and the AWS SDK, by the table that is committed. */
  readonly oursKib: number;
  readonly sdkKib: number;
  readonly cpuMs: Interval;
};

const EMPTY = 'empty module';
const KIB = 1024;

/** Imports every function's bundle once per round. `folder` takes the unpacked zips. */
export async function importAll(
  { variablesOf }: Pick<Stage, 'variablesOf'>,
  { packaged, folder }: { readonly packaged: string; readonly folder: string },
  rounds: Rounds,
): Promise<readonly Imported[]> {
  const names = functionEntries().map((entry) => basename(entry, '.ts'));
  const pathOf = (name: string) => join(folder, `dist/functions/${name}.mjs`);
  for (const name of names) await unzip(resolve(packaged, `${name}.zip`), folder);
  const usages = new Map<string, Usage[]>([EMPTY, ...names].map((name) => [name, []]));
  const contender = (name: string, path: string, variables: Variables) => ({
    name,
    floor: EMPTY,
    run: async () => {
      const usage = await importOf(path, variables);
      usages.get(name)?.push(usage);
      return usage;
    },
  });
  const bundles = names.map((name) => contender(name, pathOf(name), variablesOf(name)));
  const empty = contender(EMPTY, resolve(import.meta.dirname, 'empty.mjs'), variablesOf('login'));
  await compare([empty, ...bundles], rounds);
  const cpu = (name: string) => (usages.get(name) ?? []).slice(rounds.warmUp).map(({ cpuMs }) => cpuMs);
  const floor = cpu(EMPTY);
  const table = await readTable();
  return Promise.all(
    names.map(async (name) => ({
      name,
      kib: (await stat(pathOf(name))).size / KIB,
      oursKib: kibOf(table[name] ?? {}, /^ours$/),
      sdkKib: kibOf(table[name] ?? {}, /^@(aws-sdk|smithy|aws)\//),
      cpuMs: intervalOf(cpu(name).map((ms, round) => ms - (floor[round] ?? Number.NaN))),
    })),
  );
}

const PROGRAM = 'await import(process.argv[1]); console.log(JSON.stringify(process.cpuUsage()));';

/** What a process uses that imports a module and ends; its CPU time from its start on. */
async function importOf(path: string, variables: Variables): Promise<Usage> {
  const startedAt = performance.now();
  const args = ['--input-type=module', '--eval', PROGRAM, pathToFileURL(path).href];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...variables } });
  const { user, system }: NodeJS.CpuUsage = JSON.parse(stdout);
  return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

const kibOf = (packages: Readonly<Record<string, number>>, wanted: RegExp): number =>
  Object.entries(packages).reduce((sum, [name, bytes]) => sum + (wanted.test(name) ? bytes : 0), 0) / KIB;

export const importsTable = (imports: readonly Imported[]): Table => ({
  columns: ['function', 'bundle KiB', 'of that ours', 'of that AWS SDK', 'start, CPU ms above an empty module'],
  rows: imports.map(({ name, kib, oursKib, sdkKib, cpuMs }) => [
    name,
    kib.toFixed(1),
    oursKib.toFixed(1),
    sdkKib.toFixed(1),
    between(cpuMs),
  ]),
});
