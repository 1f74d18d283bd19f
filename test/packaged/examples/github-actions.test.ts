/** examples/github-actions: every name in the workflow exists, and its shell steps run over a simulated array and a stand-in for a broker. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/build.ts';
import { readArray } from '../../../scripts/contracts/environment.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { changed, type Ended, read, start } from './files.ts';

type Step = { readonly uses?: string; readonly run?: string; readonly env?: Readonly<Record<string, string>> };
type Job = {
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly needs?: string;
};
type Workflow = { readonly jobs: Readonly<Record<string, Job>> };

const WORKFLOW = read('github-actions/contracts.yml');
const CI = readFileSync(resolve(ROOT, '.github/workflows/ci.yml'), 'utf8');
const { scripts }: { scripts: object } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
const READ_BY_ARRAY = readFileSync(resolve(ROOT, 'scripts/contracts/environment.ts'), 'utf8');

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
    ...used.filter((action) => !CI.includes(action)).map((action) => `${action} is not the version that CI uses`),
    ...called.filter((name) => !Object.hasOwn(scripts, name)).map((name) => `no script ${name}`),
    ...files.filter((name) => !existsSync(resolve(ROOT, name))).map((name) => `no file ${name}`),
    ...set.filter((name) => !READ_BY_ARRAY.includes(name)).map((name) => `contracts:array does not read ${name}`),
  ];
}

test('every job, action, script, file and variable in the workflow exists', () => {
  expect(faultsOf(WORKFLOW)).toEqual([]);
});

test.each([
  ['needs: array', 'needs: arrays', 'no job arrays'],
  ['npm run contracts:array', 'npm run contracts:arrays', 'no script contracts:arrays'],
  ['publish contracts/pacts/', 'publish contracts/pact/', 'no file contracts/pact/flashblade-sessions-flashblade.json'],
  ['FLASHBLADE_HOST: ', 'FLASHBLADE_HOSTS: ', 'contracts:array does not read FLASHBLADE_HOSTS'],
])('a workflow in which "%s" becomes "%s" is reported', (find, replacement, fault) => {
  expect(faultsOf(changed(WORKFLOW, find, replacement))).toEqual([fault]);
});

/**
 * Runs a job's shell steps as GitHub does, until one fails. Omits those that install packages. `values`: what each expression of the
 * workflow is.
 */
async function runJob(name: string, values: Readonly<Record<string, string>>, commands: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'flashblade-example-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // Each of these only writes down its arguments.
  for (const command of commands) {
    await writeFile(join(folder, command), `#!/bin/sh\necho ${command} "$@"\n`);
    await chmod(join(folder, command), 0o755);
  }
  const { [name]: job } = (parse(WORKFLOW) as Workflow).jobs;
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
  for (const { run, env } of job?.steps ?? []) {
    if (run === undefined || /^npm (ci|install)\b/.test(run)) continue;
    const all = {
      PATH: `${folder}${delimiter}${PATH}`,
      HOME,
      NO_COLOR: '1',
      ...github,
      ...filled(job?.env),
      ...filled(env),
    };
    const step = await start('bash', ['-e', '-o', 'pipefail', '-c', run], { cwd: ROOT, env: all }).ended;
    ended.push(step);
    if (step.code !== 0) break;
  }
  return { ended, summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '' };
}

describe('the job', () => {
  test('"array" verifies the array that the variables name, and closes every session', async () => {
    const simulator = await startSimulator();
    onTestFinished(() => simulator.stop());
    const values = {
      'vars.FLASHBLADE_HOST': `127.0.0.1:${simulator.port}`,
      'vars.FLASHBLADE_USERNAME': 'pureuser',
      'vars.FLASHBLADE_FINGERPRINT': simulator.fingerprint,
      'secrets.FLASHBLADE_API_TOKEN': simulator.apiToken,
    };
    const { ended, summary } = await runJob('array', values);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(summary).toContain(`- Provider: 127.0.0.1:${simulator.port}, as pureuser\n`);
    expect(simulator.history.length).toBeGreaterThan(0);
    expect(simulator.sessions()).toEqual([]);
    expect(JSON.stringify([ended, summary])).not.toContain(simulator.apiToken);

    const wrong = await runJob('array', { ...values, 'vars.FLASHBLADE_FINGERPRINT': 'ab'.repeat(32) });
    expect(wrong.ended.map(({ code }) => code)).toEqual([1]);
  });

  test('"array" sets every variable that the command requires', () => {
    const { array } = (parse(WORKFLOW) as Workflow).jobs;
    const names = array?.steps.flatMap(({ env = {} }) => Object.keys(env)) ?? [];
    const value = (name: string) =>
      ({ FLASHBLADE_HOST: 'fb1.example.com', FLASHBLADE_FINGERPRINT: 'ab'.repeat(32) })[name];
    const environment = Object.fromEntries(names.map((name) => [name, value(name) ?? 'x']));
    expect(readArray(environment).array.host).toBe('fb1.example.com');
  });

  test.each(['true', 'false'])('"broker" publishes the pact and a result with the success %s', async (success) => {
    const received: unknown[] = [];
    const broker = createServer(async (request, response) => {
      const { method, url, headers } = request;
      received.push([method, url, headers.authorization, await text(request)]);
      const href = `http://127.0.0.1:${(broker.address() as AddressInfo).port}/results`;
      response.end(JSON.stringify({ _links: { 'pb:publish-verification-results': { href } } }));
    });
    await new Promise<void>((listening) => broker.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void broker.close());
    const values = {
      'vars.PACT_BROKER_BASE_URL': `http://127.0.0.1:${(broker.address() as AddressInfo).port}`,
      'vars.PURITY_VERSION': '4.6.2',
      'secrets.PACT_BROKER_TOKEN': 'broker-token',
      "needs.array.result == 'success'": success,
    };
    const { ended } = await runJob('broker', values, ['pact-broker']);
    expect(ended.map(({ code, stdout }) => [code, stdout.startsWith('pact-broker ') ? stdout.trim() : ''])).toEqual([
      [
        0,
        'pact-broker publish contracts/pacts/flashblade-sessions-flashblade.json --consumer-app-version commit-7 --branch main',
      ],
      [0, ''],
      [0, 'pact-broker record-deployment --pacticipant flashblade --version 4.6.2 --environment production'],
      [0, 'pact-broker can-i-deploy --pacticipant flashblade-sessions --version commit-7 --to-environment production'],
    ]);
    const pact = '/pacts/provider/flashblade/consumer/flashblade-sessions/version/commit-7';
    expect(received).toEqual([
      ['GET', pact, 'Bearer broker-token', ''],
      ['POST', '/results', 'Bearer broker-token', `{ "success": ${success}, "providerApplicationVersion": "4.6.2" }`],
    ]);
  });
});
