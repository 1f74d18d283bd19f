import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildFunctions } from '../../../scripts/build.ts';
import { type Package, packageFunctions, zipFaults } from '../../../scripts/package.ts';
import { readZip } from '../../../scripts/zip.ts';
import { type Lambda, startLambda } from '../../kit/lambda/lambda.ts';
import { FUNCTIONS, logicalIdOf, type Template, template as templateIn, zipOf } from '../../kit/packaged.ts';
import { ALARM_RULES } from './rules/alarms.ts';
import { DASHBOARD_RULES } from './rules/dashboard.ts';
import { EVENT_RULES } from './rules/events.ts';
import { FIRST_DEPLOYMENT_RULES } from './rules/first-deployment.ts';
import { FUNCTION_RULES } from './rules/functions.ts';
import { KEY_RULES } from './rules/keys.ts';
import { ROLE_RULES } from './rules/roles.ts';
import { testRules, variants } from './rules/rule.ts';
import { SCHEDULE_RULES } from './rules/schedules.ts';
import { TABLE_RULES } from './rules/table.ts';
import { at, render, settled } from './template.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let directory: string;
let packaged: Package;
let template: Template;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-infra-'));
  const bundles = join(directory, 'functions');
  await buildFunctions({ outdir: bundles });
  packaged = await packageFunctions({ bundles, outdir: join(directory, 'package'), stage: 'test' });
  template = settled(templateIn(join(directory, 'package')));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the zips', () => {
  test('contain only the bundle of their own function', async () => {
    expect(zipFaults(packaged.zips)).toEqual([]);
    expect(packaged.zips.map(({ name }) => name).sort()).toEqual([...FUNCTIONS].sort());
    for (const { name, path } of packaged.zips) {
      const bundle = await readFile(join(directory, 'functions', `${name}.mjs`));
      expect((await readZip(path))[0]?.data.equals(bundle)).toBe(true);
    }
  });

  test('hold files that every user of the machine may read: Lambda runs as another one', async () => {
    for (const { name, path } of packaged.zips)
      expect(
        (await readZip(path)).map(({ mode }) => mode.toString(8)),
        name,
      ).toEqual(['644']);
  });

  test('of the same source are the same bytes, wherever and whenever they are packaged', async () => {
    for (const { name, path } of packaged.zips)
      expect((await readFile(path)).equals(await readFile(zipOf(name))), name).toBe(true);
  });

  test('are refused if there are none, the handler file is missing or another file is included', () => {
    const [zip] = packaged.zips;
    if (zip === undefined) throw new Error('there is no zip');
    expect(zipFaults([])).toHaveLength(1);
    expect(zipFaults([{ ...zip, files: [] }])).toHaveLength(1);
    expect(zipFaults([{ ...zip, files: [...zip.files, 'package.json'] }])).toHaveLength(1);
    expect(zipFaults([{ ...zip, handlerFile: 'dist/functions/other.mjs' }])).toHaveLength(1);
  });
});

describe('the function', () => {
  /** Starts a zip under Lambda's runtime client. AWS is unreachable: every call fails at once. */
  const start = (name: string, left: readonly string[] = []): Promise<Lambda> => {
    const properties = template.Resources[logicalIdOf(name)]?.Properties;
    const handler = String(properties?.['Handler']);
    const variables = Object.entries(Object(at(properties, 'Environment/Variables')))
      .filter(([variable]) => !left.includes(variable))
      .map(([variable, value]) => [variable, render(value)]);
    const aws = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' };
    const env = { ...Object.fromEntries(variables), ...aws };
    return startLambda({ zip: join(directory, 'package', `${name}.zip`), handler, env });
  };

  test.each([
    ['login', {}, { error: { errorType: 'REQUEST_INVALID' } }],
    ['logout', {}, { error: { errorType: 'REQUEST_INVALID' } }],
    ['call-array', {}, { error: { errorType: 'REQUEST_INVALID' } }],
    ['renew', {}, { error: { errorType: 'REQUEST_INVALID' } }],
    ['session-events', { Records: [] }, { result: { batchItemFailures: [] } }],
    ['sweep-sessions', {}, { error: { errorType: 'AWS_UNAVAILABLE' } }],
    ['check-fleet', { x: 1 }, { error: { errorType: 'REQUEST_INVALID' } }],
  ])('%s starts from its zip with the variables of the template', async (name, event, outcome) => {
    const lambda = await start(name);
    try {
      expect(await lambda.invoke(event)).toMatchObject(outcome);
    } finally {
      await lambda.stop();
    }
  });

  test.each([
    ['login', 'LEASE_TABLE'],
    ['session-events', 'EVENT_BUS'],
  ])('%s does not start without %s', async (name, variable) => {
    const lambda = await start(name, [variable]);
    try {
      const { error } = (await lambda.invoke({})) as { error?: object };
      expect(error).toMatchObject({ errorType: 'CONFIG_INVALID', errorMessage: expect.stringContaining(variable) });
    } finally {
      await lambda.stop();
    }
  });
});

const RULES = {
  functions: FUNCTION_RULES,
  'the ledger’s table': TABLE_RULES,
  roles: ROLE_RULES,
  keys: KEY_RULES,
  events: EVENT_RULES,
  schedules: SCHEDULE_RULES,
  alarms: ALARM_RULES,
  'the dashboard': DASHBOARD_RULES,
  'a first deployment': FIRST_DEPLOYMENT_RULES,
};

describe.each(Object.entries(RULES))('the rules for %s', (_, rules) => {
  testRules(rules, () => template, variants);
});
