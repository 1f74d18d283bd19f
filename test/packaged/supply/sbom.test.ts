/** `npm run sbom`: the bill of materials and the license texts for the packages in the bundles. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTable, type Sizes } from '../../../scripts/build/sizes.ts';
import { ROOT } from '../../../scripts/build.ts';
import { type Bom, bundledBom, type Component, faultsOf, functionsOf, textOf } from '../../../scripts/supply/bom.ts';
import { licenseTexts } from '../../../scripts/supply/licenses.ts';
import { runSbom } from '../../../scripts/supply/run.ts';

let directory: string;
let ran: { readonly code: number; readonly output: string; readonly errors: string };
let bom: Bom;
let whole: Bom;
let licenses: string;
let sizes: Sizes;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-sbom-'));
  ran = await run('--all', '--outdir', directory);
  const read = (file: string) => readFile(join(directory, file), 'utf8');
  bom = JSON.parse(await read('sbom.cdx.json'));
  whole = JSON.parse(await read('sbom.all.cdx.json'));
  licenses = await read('licenses.txt');
  sizes = await readTable();
  // npm reads every installed package.
}, 600_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(...args: readonly string[]) {
  const texts = { output: '', errors: '' };
  const into = (name: keyof typeof texts) =>
    new Writable({
      write: (chunk, _encoding, done) => {
        texts[name] += String(chunk);
        done();
      },
    });
  return { code: await runSbom(args, { output: into('output'), errors: into('errors') }), ...texts };
}

const fullName = ({ group, name }: Component): string => (group === undefined ? name : `${group}/${name}`);

describe('the bill of materials', () => {
  test('lists exactly the packages that have bytes in a bundle, and their bundles', () => {
    const inTable = Object.entries(sizes).flatMap(([name, packages]) =>
      Object.keys(packages).map((one) => `${one} in ${name}`),
    );
    const inBom = bom.components.flatMap((one) => functionsOf(one).map((name) => `${fullName(one)} in ${name}`));
    // A package in two versions is two components.
    expect([...new Set(inBom)].sort()).toEqual(inTable.filter((line) => !line.startsWith('ours ')).sort());
  });

  test('has the version, the license and the purl of each package', () => {
    for (const component of bom.components) {
      const { version = '', purl, licenses = [] } = component;
      expect(purl).toBe(`pkg:npm/${fullName(component).replace('@', '%40')}@${version}`);
      expect(licenses.length, purl).toBeGreaterThan(0);
    }
    expect(JSON.stringify(bom.components)).not.toContain('cdx:npm:package:development');
  });

  test('lists the dependencies of each package, but only within the bill', () => {
    const refs = [bom.metadata.component, ...bom.components].map((component) => component['bom-ref']);
    expect(bom.dependencies.map(({ ref }) => ref).sort()).toEqual(refs.sort());
    for (const { dependsOn = [] } of bom.dependencies) expect(refs).toEqual(expect.arrayContaining([...dependsOn]));
    const own = bom.dependencies.find(({ ref }) => ref === bom.metadata.component['bom-ref']);
    expect(own?.dependsOn?.join()).toContain('client-dynamodb');
  });

  test('matches the CycloneDX schema, which rejects an invalid bill', async () => {
    expect(await faultsOf(bom)).toEqual([]);
    const [first, ...others] = bom.components;
    const broken = { ...bom, components: [{ ...first, type: 'nonsense' } as unknown as Component, ...others] };
    expect(await faultsOf(broken)).not.toEqual([]);
    expect(await faultsOf({ ...bom, surplus: true } as Bom)).not.toEqual([]);
  });

  test('does not depend on time, machine or folder', () => {
    const text = textOf(bom);
    expect(text).not.toMatch(/"timestamp"|"serialNumber"/);
    expect(text).not.toContain(ROOT);
    expect(bom.metadata.tools?.components.map(({ name }) => name)).toEqual(['cyclonedx-library', 'cyclonedx-npm']);
  });

  test('exists in a second file for all installed packages, including the tools', () => {
    const names = whole.components.map(fullName);
    expect(names).toEqual(expect.arrayContaining(['vitest', 'esbuild', 'zod']));
    expect(bom.components.map(fullName)).not.toContain('vitest');
  });

  test('is refused if a bundle has a package that npm does not know', () => {
    const stranger = { directory: 'node_modules/stranger', name: 'stranger', version: '1.0.0', license: 'MIT' };
    expect(() => bundledBom(whole, [{ ...stranger, functions: ['login'] }])).toThrow('stranger is in a bundle');
  });
});

describe('the license texts', () => {
  test('include every package in the bundles', () => {
    for (const component of bom.components) {
      expect(licenses).toContain(`\n${fullName(component)} ${component.version} (`);
    }
    expect(licenses).toContain('Apache License');
    expect(licenses).toContain('Permission is hereby granted');
  });

  test('are refused if a package has no license text although its license requires one', async () => {
    const silent = { directory: 'node_modules/@aws-lambda-powertools/metrics', name: 'x', version: '1', functions: [] };
    await expect(licenseTexts([{ ...silent, license: 'MIT' }])).rejects.toThrow('has no license text');
    await expect(licenseTexts([{ ...silent, license: 'MIT-0' }])).resolves.toContain('x 1 (MIT-0)');
  });
});

describe('npm run sbom', () => {
  test('writes its files, prints their names and exits with 0', async () => {
    expect(ran).toMatchObject({ code: 0, errors: '' });
    const files = await readdir(directory);
    expect(files.sort()).toEqual(['licenses.txt', 'sbom.all.cdx.json', 'sbom.cdx.json']);
    for (const file of files) expect(ran.output).toContain(file);
  });

  test('prints its options with --help', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, output: expect.stringContaining('--outdir') });
  });

  test.each([[['--nonsense']], [['somewhere']], [['--outdir', '']], [['--outdir']]])(
    'exits with 2 for %j',
    async (args) => {
      expect(await run(...args)).toMatchObject({
        code: 2,
        output: '',
        errors: expect.stringContaining('npm run sbom'),
      });
    },
  );

  test('exits with 1 if it cannot write', async () => {
    const { code, errors } = await run('--outdir', join(directory, 'licenses.txt'));
    expect({ code, errors }).toMatchObject({ code: 1, errors: expect.stringContaining('EEXIST') });
  });
});
