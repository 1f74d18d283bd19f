/** examples/github-actions: every name in a workflow exists, and its shell steps run over a simulated array. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/build.ts';
import { readArray } from '../../../scripts/contracts/environment.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { changed, type Ended, read, start } from './files.ts';

type Step = {
  readonly uses?: string;
  readonly with?: { readonly path?: string };
  readonly if?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
};
type Job = {
  readonly defaults?: { readonly run: { readonly 'working-directory': string } };
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly needs?: string;
  readonly if?: string;
  readonly 'runs-on': string | readonly string[];
  readonly 'timeout-minutes'?: number;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean };
};
type Workflow = { readonly on: Readonly<Record<string, unknown>>; readonly jobs: Readonly<Record<string, Job>> };

/** For a clone of this repository, and for a provider's own repository. */
const [CONTRACTS, PROVIDER] = [read('github-actions/contracts.yml'), read('github-actions/provider.yml')];
const BOTH = [
  ['contracts.yml', CONTRACTS],
  ['provider.yml', PROVIDER],
] as const;
/** CI itself uploads nothing. */
const UPLOAD = 'actions/upload-artifact@330a01c490aca151604b8cf639adc76d48f6c5d4';
const CI = readFileSync(resolve(ROOT, '.github/workflows/ci.yml'), 'utf8');
const { scripts }: { scripts: object } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
const READ_BY_ARRAY = readFileSync(resolve(ROOT, 'scripts/contracts/environment.ts'), 'utf8');

/** The folder that a job's steps run in, from the runner's workspace. */
const folderOf = ({ defaults }: Job): string => defaults?.run['working-directory'] ?? '.';

/** Steps that run where nothing is checked out, and conditions on another report than the one that the step reads. */
function folderFaults(job: Job): string[] {
  const folder = folderOf(job);
  const checkouts = job.steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
  const reports = job.steps.flatMap(({ if: condition = '', run = '', with: inputs }) => {
    const [, tested] = /hashFiles\('([^']+)'\)/.exec(condition) ?? [];
    const [, printed = ''] = /^cat (\S+)/.exec(run) ?? [];
    // An action's paths start in the workspace.
    const uploaded = run === '' ? (inputs?.path ?? '').trim().split(/\s+/) : [];
    return tested === undefined || [join(folder, printed), ...uploaded].includes(tested)
      ? []
      : [`${tested} is not the file of "${run}"`];
  });
  return [
    ...(checkouts.some((step) => (step.with?.path ?? '.') === folder) ? [] : [`nothing is checked out in ${folder}`]),
    ...reports,
  ];
}

/** Names in the workflow that do not exist. */
function faultsOf(workflow: string): string[] {
  const { jobs } = parse(workflow) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const needed = Object.values(jobs).flatMap(({ needs }) => (needs === undefined ? [] : [needs]));
  const used = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  const commands = steps.map(({ run = '' }) => run).join('\n');
  const called = Array.from(commands.matchAll(/\bnpm run ([\w:]+)/g), ([, name = '']) => name);
  const files = Array.from(commands.matchAll(/(?<![\w/])contracts\/[\w./-]+/g), ([file]) => file);
  const set = steps.flatMap(({ env = {} }) => Object.keys(env));
  return [
    ...needed.filter((name) => !Object.hasOwn(jobs, name)).map((name) => `no job ${name}`),
    ...used
      .filter((action) => ![CI, UPLOAD].some((known) => known.includes(action)))
      .map((action) => `${action} is not the version that CI uses`),
    ...called.filter((name) => !Object.hasOwn(scripts, name)).map((name) => `no script ${name}`),
    ...files.filter((name) => !existsSync(resolve(ROOT, name))).map((name) => `no file ${name}`),
    ...set.filter((name) => !READ_BY_ARRAY.includes(name)).map((name) => `contracts:array does not read ${name}`),
    ...Object.values(jobs).flatMap(folderFaults),
  ];
}

/** What would let a pull request run code on a runner that reaches the array, or let two runs meet. */
function runnerFaults(workflow: string): string[] {
  const { on, jobs } = parse(workflow) as Workflow;
  const forPulls = Object.keys(on).some((event) => event.startsWith('pull_request'));
  return Object.entries(jobs).flatMap(([name, { if: condition = '', concurrency, ...job }]) => {
    if (!job['runs-on'].includes('self-hosted')) return [];
    return [
      ...(forPulls && !condition.startsWith("github.event_name != 'pull_request' && ")
        ? [`${name} runs for pull requests`]
        : []),
      ...(Object.keys(on).includes('schedule') ? [] : [`${name} has no schedule`]),
      ...(concurrency?.['cancel-in-progress'] === false ? [] : [`${name} may be canceled or run twice`]),
      ...((job['timeout-minutes'] ?? 360) <= 15 ? [] : [`${name} has no time limit`]),
    ];
  });
}

test.each(BOTH)('no pull request reaches the runner of %s, and runs never meet', (_, workflow) => {
  expect(runnerFaults(workflow)).toEqual([]);
});

test.each([
  ["github.event_name != 'pull_request' && ", '', 'array runs for pull requests'],
  ['  schedule:\n', '  other:\n', 'array has no schedule'],
  ['cancel-in-progress: false', 'cancel-in-progress: true', 'array may be canceled or run twice'],
])('a copy of contracts.yml in which "%s" becomes "%s" is refused', (find, replacement, fault) => {
  expect(runnerFaults(changed(CONTRACTS, find, replacement))).toEqual([fault]);
});

test.each(BOTH)('every job, action, script, file and variable in %s exists', (_, workflow) => {
  expect(faultsOf(workflow)).toEqual([]);
});

const REPORT = 'flashblade-sessions/dist/contracts/array.md';
test.each([
  ['npm run contracts:array', 'npm run contracts:arrays', 'no script contracts:arrays'],
  ['FLASHBLADE_HOST: ', 'FLASHBLADE_HOSTS: ', 'contracts:array does not read FLASHBLADE_HOSTS'],
])('a copy of contracts.yml in which "%s" becomes "%s" is reported', (find, replacement, fault) => {
  expect(faultsOf(changed(CONTRACTS, find, replacement))).toEqual([fault]);
});

test.each([
  ['path: flashblade-sessions', 'path: sessions', 'nothing is checked out in flashblade-sessions'],
  [
    `hashFiles('${REPORT}')`,
    "hashFiles('report.md')",
    'report.md is not the file of "cat dist/contracts/array.md >> "$GITHUB_STEP_SUMMARY""',
  ],
  [
    'actions/checkout@3d',
    'actions/checkout@4d',
    'actions/checkout@4d3c42e5aac5ba805825da76410c181273ba90b1 is not the version that CI uses',
  ],
  ['npm run contracts:array', 'npm run contract:array', 'no script contract:array'],
  ['FLASHBLADE_API_TOKEN: ', 'FLASHBLADE_TOKEN: ', 'contracts:array does not read FLASHBLADE_TOKEN'],
])('a copy of provider.yml in which "%s" becomes "%s" is reported', (find, replacement, fault) => {
  expect(faultsOf(changed(PROVIDER, find, replacement))).toEqual([fault]);
});

/**
 * Runs a job's shell steps as GitHub does, until one fails. Omits those that install packages. `values`: what each expression of the
 * workflow is.
 */
async function runJob(
  workflow: string,
  name: string,
  values: Readonly<Record<string, string>>,
  commands: readonly string[] = [],
) {
  const folder = await mkdtemp(join(tmpdir(), 'flashblade-example-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // Each of these only writes down its arguments.
  for (const command of commands) {
    await writeFile(join(folder, command), `#!/bin/sh\necho ${command} "$@"\n`);
    await chmod(join(folder, command), 0o755);
  }
  const { [name]: job } = (parse(workflow) as Workflow).jobs;
  if (job === undefined) throw new Error(`The workflow has no job ${name}`);
  // The checkout: this project, in the folder that the workflow names.
  const workspace = join(folder, 'workspace');
  const checkout = join(workspace, job.steps[0]?.with?.path ?? '.');
  await mkdir(dirname(checkout), { recursive: true });
  await symlink(ROOT, checkout);
  const filled = (env: Step['env'] = {}) =>
    Object.fromEntries(Object.entries(env).map(([key, text]) => [key, text.replace(/^\$\{\{ (.*) \}\}$/, resolved)]));
  const resolved = (_: string, expression: string): string => {
    const value = values[expression];
    if (value === undefined) throw new Error(`The test has no value for ${expression}`);
    return value;
  };
  const { PATH = '', HOME } = process.env;
  const summary = join(folder, 'summary.md');
  const github = { GITHUB_STEP_SUMMARY: summary, GITHUB_SHA: 'commit-7', GITHUB_REF_NAME: 'main' };
  const ended: Ended[] = [];
  for (const { run, env } of job.steps) {
    if (run === undefined || /^npm (ci|install)\b/.test(run)) continue;
    const all = {
      PATH: `${folder}${delimiter}${PATH}`,
      HOME,
      NO_COLOR: '1',
      ...github,
      ...filled(job.env),
      ...filled(env),
    };
    const step = await start('bash', ['-e', '-o', 'pipefail', '-c', run], {
      cwd: join(workspace, folderOf(job)),
      env: all,
    }).ended;
    ended.push(step);
    if (step.code !== 0) break;
  }
  return { ended, summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '' };
}

describe('the job', () => {
  test.each(BOTH)(
    '"array" in %s verifies the array that the variables name, and closes every session',
    async (_, workflow) => {
      const simulator = await startSimulator();
      onTestFinished(() => simulator.stop());
      const values = {
        'vars.FLASHBLADE_HOST': `127.0.0.1:${simulator.port}`,
        'vars.FLASHBLADE_USERNAME': 'pureuser',
        'vars.FLASHBLADE_FINGERPRINT': simulator.fingerprint,
        'secrets.FLASHBLADE_API_TOKEN': simulator.apiToken,
      };
      const { ended, summary } = await runJob(workflow, 'array', values);
      expect(ended.map(({ code }) => code)).toEqual([0, 0]);
      expect(summary).toContain(`- Provider: 127.0.0.1:${simulator.port}, as pureuser\n`);
      expect(simulator.history.length).toBeGreaterThan(0);
      expect(simulator.sessions()).toEqual([]);
      expect(JSON.stringify([ended, summary])).not.toContain(simulator.apiToken);

      const wrong = await runJob(workflow, 'array', { ...values, 'vars.FLASHBLADE_FINGERPRINT': 'ab'.repeat(32) });
      expect(wrong.ended.map(({ code }) => code)).toEqual([3]);
    },
  );

  test.each(BOTH)('"array" in %s sets every variable that the command requires', (_, workflow) => {
    const { array } = (parse(workflow) as Workflow).jobs;
    const names = array?.steps.flatMap(({ env = {} }) => Object.keys(env)) ?? [];
    const value = (name: string) =>
      ({ FLASHBLADE_HOST: 'fb1.example.com', FLASHBLADE_FINGERPRINT: 'ab'.repeat(32) })[name];
    const environment = Object.fromEntries(names.map((name) => [name, value(name) ?? 'x']));
    expect(readArray(environment).array.host).toBe('fb1.example.com');
  });
});
