/** Runs the command as people and CI do: a process of its own, with nothing of the test's environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Simulator, SimulatorOptions } from '../../../simulator/index.ts';
import { simulated } from '../../unit/contracts/providers.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/contracts.ts');
export const SIGNAL_NOTED = ': closing what is open';
export const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';

export type Ended = {
  readonly code: number | null;
  /** Everything that it said and wrote. */
  readonly all: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: string;
  readonly junit: string;
  /** What is left of its directory for temporary files. */
  readonly files: readonly string[];
};

/** Starts the command, its reports in a directory that ends with the test. */
export function run(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-contracts-test-'));
  const temporary = mkdtempSync(join(tmpdir(), 'flashblade-contracts-test-'));
  const [report, junit] = [join(folder, 'out/report.md'), join(folder, 'out/junit.xml')];
  const child = spawn(process.execPath, [SCRIPT, ...args, '--report', report, '--junit', junit], {
    env: { PATH: dirname(process.execPath), HOME: folder, TMPDIR: temporary, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
    for (const directory of [folder, temporary]) rmSync(directory, { recursive: true, force: true });
  });
  let stdout = '';
  const said = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    if (stdout.includes(SIGNAL_NOTED)) said.resolve();
  });
  const ended = Promise.all([text(child.stderr), closed]).then(([stderr]): Ended => {
    const [reported, counted] = [textOf(report), textOf(junit)];
    const all = [stdout, stderr, reported, counted].join('\n');
    return {
      code: child.exitCode,
      all,
      stdout,
      stderr,
      report: reported,
      junit: counted,
      files: readdirSync(temporary),
    };
  });
  return { child, ended, /** It has noticed a signal. */ signalNoted: said.promise };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** A file that ends with the test. */
export function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-contracts-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return file;
}

/** Every token that the array ever knew. */
export const tokensOf = ({ history }: Simulator): string[] => [API_TOKEN, ...history.map(({ authToken }) => authToken)];

export const USERNAME = 'verifier';

/** A simulated array, and the environment that names it to the command. */
export async function arrayAndEnvironment(options: SimulatorOptions = {}) {
  const simulator = await simulated({ users: [{ username: USERNAME, apiToken: API_TOKEN }], ...options });
  const env = {
    FLASHBLADE_HOST: `127.0.0.1:${simulator.port}`,
    FLASHBLADE_API_TOKEN: API_TOKEN,
    FLASHBLADE_USERNAME: USERNAME,
    FLASHBLADE_CA_FILE: fileWith(simulator.certificate),
  };
  return { simulator, env };
}
