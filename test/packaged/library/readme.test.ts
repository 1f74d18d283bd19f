/** The documents in the package: what they link to is there, and what they say to run works. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseDocument, shellCommands } from '../../unit/docs/markdown.ts';
import { homeIn, installLibrary, type Manifest } from './install.ts';
import { startRegistry } from './registry.ts';

let project: string;
let files: string[];
let packed: Manifest;
let tarball: string;
let readme: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-readme-'));
  ({ files, packed, tarball } = await installLibrary(project));
  readme = await text('README.md');
});

afterAll(() => rm(project, { recursive: true, force: true }));

const text = (file: string): Promise<string> => readFile(join(homeIn(project), file), 'utf8');

/** Links to files that the package does not contain. */
const linkFaults = (document: string): string[] =>
  parseDocument(document)
    .links.map(({ href }) => href)
    .filter((href) => !href.startsWith('https://') && !files.includes(href));

/** Commands in blocks and in quoted code. */
function commandsIn(document: string): string[] {
  const { blocks, quoted } = parseDocument(document);
  const shell = blocks.filter(({ info }) => /^(sh|bash|shell|console)\b/.test(info));
  const inText = quoted.filter(({ code }) => /^(np[mx]|node|yarn|pnpm) /.test(code));
  return [...shell, ...inText].flatMap(({ code }) => shellCommands(code).map(({ words }) => words.join(' ')));
}

/** Differences between the entry points that a document names and those that the package has. */
function entryFaults(document: string): string[] {
  const named = Array.from(
    document.matchAll(/flashblade-sessions(\/[\w/-]+)?(?=['`])/g),
    ([, path = '']) => `.${path}`,
  );
  const entries = Object.keys(packed['exports'] ?? {}).filter((name) => name !== './package.json');
  const [gone, unnamed] = [
    named.filter((name) => !entries.includes(name)),
    entries.filter((name) => !named.includes(name)),
  ];
  return [...gone.map((name) => `there is no ${name}`), ...unnamed.map((name) => `${name} is not named`)];
}

/** Runs a command in an empty project that contains the tarball, with a registry that knows the library's dependencies. */
async function inNewProject(command: string) {
  const where = await mkdtemp(join(tmpdir(), 'flashblade-command-'));
  onTestFinished(() => rm(where, { recursive: true, force: true }));
  const dependencies = Object.entries(packed['dependencies'] ?? {});
  const registry = await startRegistry(
    Object.fromEntries(dependencies.map(([name, range]) => [name, [range.replace('^', '')]])),
  );
  onTestFinished(registry.stop);
  await writeFile(join(where, 'package.json'), '{"private":true}');
  await writeFile(join(where, basename(tarball)), await readFile(tarball));
  // The registry has no content, so npm only plans what it would install.
  const settings = { npm_config_package_lock_only: 'true', npm_config_registry: registry.address };
  const npm = { ...settings, npm_config_cache: join(where, 'cache'), npm_config_audit: 'false' };
  const { PATH } = process.env;
  await promisify(execFile)('sh', ['-c', command], { cwd: where, env: { PATH, HOME: where, ...npm } });
  return JSON.parse(await readFile(join(where, 'package-lock.json'), 'utf8')) as { packages: object };
}

describe('the documents in the package', () => {
  it.each(['README.md', 'CHANGELOG.md'])(
    '%s links only to files in the package and to https addresses',
    async (file) => {
      expect(linkFaults(await text(file))).toEqual([]);
    },
  );

  it('would be refused with other links', () => {
    expect(
      linkFaults('[a](LICENSE) [b](https://example.com) [c](docs/errors.md) [d](#a) <a href="../x">x</a>'),
    ).toEqual(['docs/errors.md', '#a', '../x']);
  });
});

describe('the README of the package', () => {
  it('fits on two screens and describes the package, not the repository', () => {
    expect(readme.split('\n').length).toBeLessThan(100);
    expect(readme).not.toMatch(/npm (run|ci|start|test)\b|clone|this repository/);
  });

  it('names exactly the entry points that exist', () => {
    expect(entryFaults(readme)).toEqual([]);
    const wrong = readme.replaceAll('flashblade-sessions/array', 'flashblade-sessions/gone');
    expect(new Set(entryFaults(wrong))).toEqual(new Set(['there is no ./gone', './array is not named']));
  });

  it('contains only commands that work', async () => {
    const commands = commandsIn(readme);
    expect(commands).toHaveLength(1);
    for (const command of commands) {
      const { packages } = await inNewProject(command);
      expect(Object.keys(packages)).toContain('node_modules/flashblade-sessions');
    }
  });

  it('would be refused with a command that does not work', async () => {
    expect(commandsIn('`npm run library`\n\n```sh\nnpm install a # b\n```\n')).toEqual([
      'npm install a',
      'npm run library',
    ]);
    await expect(inNewProject('npm run library')).rejects.toThrow('Missing script');
    await expect(inNewProject('npm install ./flashblade-sessions-0.0.9.tgz')).rejects.toThrow('ENOENT');
  });

  it('names the oldest Node.js version that the package accepts', () => {
    expect(`>=${/Node\.js ([\d.]+) or newer/.exec(readme)?.[1]}`).toBe(packed['engines']?.['node']);
  });
});
