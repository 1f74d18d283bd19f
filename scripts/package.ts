/** `npm run package` builds and packages every function for deployment, without network access. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildFunctions, ROOT } from './build.ts';
import { runPlain } from './command-line.ts';
import { readZip } from './zip.ts';

const OSLS = resolve(ROOT, 'node_modules/osls/bin/serverless.js');
const TEMPLATE = 'cloudformation-template-update-stack.json';

export type FunctionZip = {
  /** The function's name, as in serverless.yml. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Names of the files in the zip file. */
  readonly files: readonly string[];
  /** The file that Lambda loads, derived from the function's handler. */
  readonly handlerFile: string;
};

export type PackageOptions = {
  /** Directory with the bundles, one `<name>.mjs` per function. Default: `dist/functions`. */
  readonly bundles?: string;
  /** Output directory for the zips and the template, which is emptied first. Default: `.serverless`. */
  readonly outdir?: string;
  /** Default: `dev`. */
  readonly stage?: string;
  /** Parameter values that override the defaults in serverless.yml. */
  readonly parameters?: Readonly<Record<string, string>>;
};

export type Package = { readonly zips: readonly FunctionZip[]; readonly template: string };

/**
 * Runs `osls package` on a copy of the bundles, without network access or an AWS account. Because of the copy, concurrent runs do not
 * interfere with each other, and osls does not scan the rest of the project. If osls rejects the configuration, the error contains the
 * output of osls.
 */
export const packageFunctions = async (options: PackageOptions = {}): Promise<Package> => {
  const { bundles = resolve(ROOT, 'dist/functions'), outdir = resolve(ROOT, '.serverless'), stage = 'dev' } = options;
  const { parameters = {} } = options;
  const copy = await mkdtemp(join(tmpdir(), 'flashblade-package-'));
  try {
    await cp(resolve(ROOT, 'serverless.yml'), join(copy, 'serverless.yml'));
    await cp(resolve(ROOT, 'infra'), join(copy, 'infra'), { recursive: true });
    await cp(bundles, join(copy, 'dist/functions'), { recursive: true });
    const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
    await runOsls(copy, ['--stage', stage, ...given]);
    await rm(outdir, { recursive: true, force: true });
    await cp(join(copy, '.serverless'), outdir, { recursive: true });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  return { zips: await readZips(outdir), template: join(outdir, TEMPLATE) };
};

/** Runs osls without the caller's environment, so that it has no AWS account, no profile, and no settings from the home directory. */
const runOsls = async (directory: string, options: readonly string[]): Promise<void> => {
  const env = { HOME: directory, CI: '1', SLS_DEPRECATION_NOTIFICATION_MODE: 'error' };
  const run = promisify(execFile)(process.execPath, [OSLS, 'package', ...options], { cwd: directory, env });
  await run.catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`osls package failed:\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  });
};

type FunctionResource = { Type: string; Properties: { Handler: string; Code: { S3Key: string } } };

const readZips = async (outdir: string): Promise<FunctionZip[]> => {
  const template: unknown = JSON.parse(await readFile(join(outdir, TEMPLATE), 'utf8'));
  const { Resources } = template as { Resources: Record<string, FunctionResource> };
  const functions = Object.values(Resources).filter((resource) => resource.Type === 'AWS::Lambda::Function');
  return Promise.all(functions.map((resource) => describeZip(outdir, resource.Properties)));
};

const describeZip = async (outdir: string, { Handler, Code }: FunctionResource['Properties']): Promise<FunctionZip> => {
  const file = Code.S3Key.slice(Code.S3Key.lastIndexOf('/') + 1);
  const path = join(outdir, file);
  const bytes = await readFile(path);
  return {
    name: file.replace(/\.zip$/, ''),
    path,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    files: (await readZip(path)).map((entry) => entry.name),
    handlerFile: Handler.replace(/\.[^.]+$/, '.mjs'),
  };
};

/** Returns the problems found in the zips. osls does not detect a handler that is missing from its zip. */
export const zipFaults = (zips: readonly FunctionZip[]): string[] => [
  ...(zips.length === 0 ? ['there are no functions'] : []),
  ...zips
    .filter((zip) => zip.files.join() !== zip.handlerFile)
    .map((zip) => `${zip.name}.zip must contain only ${zip.handlerFile}, but contains: ${zip.files.join(', ')}`),
];

const USAGE = `npm run package

Bundles every function and writes the zips and the CloudFormation template to .serverless. Needs no network and no AWS account.

  --help

Exit codes: 0 on success, 1 if a zip is invalid, 2 for invalid arguments.`;

async function main(): Promise<number> {
  await buildFunctions();
  const { zips } = await packageFunctions();
  for (const zip of zips)
    console.log(`${zip.name.padEnd(16)}${String(zip.bytes).padStart(9)} bytes  sha256 ${zip.sha256}`);
  const faults = zipFaults(zips);
  for (const fault of faults) console.error(fault);
  return faults.length > 0 ? 1 : 0;
}

if (import.meta.main) await runPlain(USAGE, main);
