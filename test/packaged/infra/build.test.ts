import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BUNDLE_LIMIT_KIB, type Bundle, buildFunctions, tooLarge } from '../../../scripts/build.ts';
import { startLambda } from '../../kit/lambda/lambda.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const entries = [resolve(import.meta.dirname, 'fixtures/credentials.ts')];
let directory: string;
let outdir: string;
let bundle: Bundle;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-build-'));
  outdir = join(directory, 'dist/functions');
  [bundle] = (await buildFunctions({ entries, outdir })) as [Bundle];
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const runBundle = async (env: Record<string, string>) => {
  const lambda = await startLambda({ directory, handler: 'dist/functions/credentials.handler', env });
  try {
    return await lambda.invoke({});
  } finally {
    await lambda.stop();
  }
};

test('a bundle runs in Lambda with the credentials from its environment', async () => {
  expect(bundle).toMatchObject({ name: 'credentials', path: join(outdir, 'credentials.mjs') });
  expect(
    await runBundle({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: 'y' }),
  ).toEqual({
    result: 'AKIDEXAMPLE',
  });
});

test('a bundle looks for credentials only in its environment', async () => {
  expect(await runBundle({})).toMatchObject({ error: { errorType: 'CredentialsProviderError' } });
  expect(bundle.inputs.filter((input) => /credential-provider-(?!env)/.test(input))).toEqual([]);
  expect(bundle.inputs).toContain('scripts/build/lambda-credentials.ts');
});

test('the same source builds to the same bytes', async () => {
  const [again] = await buildFunctions({ entries, outdir: join(directory, 'again') });
  expect(await readFile(again?.path ?? '')).toEqual(await readFile(bundle.path));
});

test('the output directory contains only the bundles of the latest build', async () => {
  const other = join(directory, 'again');
  await buildFunctions({ entries, outdir: other });
  await writeFile(join(other, 'left-over.mjs'), '');
  await buildFunctions({ entries, outdir: other });
  await expect(stat(join(other, 'left-over.mjs'))).rejects.toThrow('ENOENT');
});

test('a bundle above the size limit is reported, and a bundle at the limit is not', () => {
  const at = { ...bundle, kib: BUNDLE_LIMIT_KIB };
  expect(tooLarge([at, { ...bundle, name: 'heavy', kib: BUNDLE_LIMIT_KIB + 0.1 }])).toEqual(['heavy']);
});
