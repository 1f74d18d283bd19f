import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildFunctions } from '../../scripts/build.ts';
import { type Package, packageFunctions, zipFaults } from '../../scripts/package.ts';
import { readZip } from '../../scripts/zip.ts';
import { startLambda } from '../lambda/lambda.ts';
import { CHANGES, CHECKS, withChange } from './changes.ts';
import { at, type Json, readTemplate, render, type Template } from './template.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory: string;
let packaged: Package;
let template: Template;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-infra-'));
  const bundles = join(directory, 'functions');
  await buildFunctions({ outdir: bundles });
  packaged = await packageFunctions({ bundles, outdir: join(directory, 'package'), stage: 'test' });
  template = await readTemplate(packaged.template);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** What CloudFormation would refuse. The report's own `status` says OK whatever it found. */
const errorsIn = (path: string): string[] => {
  const engine = new CelEngine();
  try {
    return engine
      .validateStandard(new TemplateFile(path))
      .diagnostics.filter(({ severity }) => severity === 'FATAL' || severity === 'ERROR')
      .map(({ ruleId, message }) => `${ruleId} ${message}`);
  } finally {
    engine.free();
  }
};

test('CloudFormation finds no error in the template', () => {
  expect(errorsIn(packaged.template)).toEqual([]);
});

test('CloudFormation finds a resource that is missing and a property that does not exist', async () => {
  const path = join(directory, 'broken.json');
  const broken = withChange(
    withChange(template, ['LeaseTable'], undefined),
    ['LeaseKey', 'Properties', 'Rotate'],
    true,
  );
  await writeFile(path, JSON.stringify(broken));
  const errors = errorsIn(path);
  expect(errors).toContainEqual(expect.stringContaining('LeaseTable'));
  expect(errors).toContainEqual(expect.stringContaining('Rotate'));
});

describe('the zips', () => {
  test('hold the bundle of their own function and nothing else', async () => {
    expect(zipFaults(packaged.zips)).toEqual([]);
    expect(packaged.zips.map(({ name }) => name)).toEqual(['login', 'logout']);
    for (const { name, path } of packaged.zips) {
      const bundle = await readFile(join(directory, 'functions', `${name}.mjs`));
      expect((await readZip(path))[0]?.data.equals(bundle)).toBe(true);
    }
  });

  test('without the file of the handler, with another file or not there at all are refused', () => {
    const [zip] = packaged.zips;
    if (zip === undefined) throw new Error('there is no zip');
    expect(zipFaults([])).toHaveLength(1);
    expect(zipFaults([{ ...zip, files: [] }])).toHaveLength(1);
    expect(zipFaults([{ ...zip, files: [...zip.files, 'package.json'] }])).toHaveLength(1);
    expect(zipFaults([{ ...zip, handlerFile: 'dist/functions/other.mjs' }])).toHaveLength(1);
  });
});

test.each(['login', 'logout'])(
  '%s starts from its zip with the variables of the template, and not without',
  async (name) => {
    const { Properties } = template.Resources[`${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`] ?? {};
    const handler = String(at(Properties, 'Handler'));
    const zip = join(directory, 'package', `${name}.zip`);
    const variables = Object.entries(Object(at(Properties, 'Environment', 'Variables')) as { [name: string]: Json });
    const env = Object.fromEntries(variables.map(([variable, value]) => [variable, render(value)]));
    const withVariables = await startLambda({ zip, handler, env });
    const without = await startLambda({ zip, handler });
    try {
      expect(await withVariables.invoke({})).toMatchObject({ error: { errorType: 'REQUEST_INVALID' } });
      expect(await without.invoke({})).toMatchObject({ error: { errorType: 'CONFIG_INVALID' } });
    } finally {
      await Promise.all([withVariables.stop(), without.stop()]);
    }
  },
);

test.each(Object.entries(CHECKS))('%s finds nothing in the template', (_name, faults) => {
  expect(faults(template)).toEqual([]);
});

test.each(CHANGES)('%s refuses %s', (check, _what, path, value, told) => {
  expect(CHECKS[check](withChange(template, path, value)).join('\n')).toContain(told);
});
