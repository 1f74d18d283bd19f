/** Runs `npm start` as people do: a process of its own, in a process group of its own, as in a terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';
import { isAlive } from '../../kit/alive.ts';
import { zipOf } from '../../kit/packaged.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/start.ts');
export const PACKAGED = ['--packaged', dirname(zipOf('login'))];
export const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';

const started: (() => Promise<void>)[] = [];

/** Ends what the tests of a file started. They may run at the same time, so every file does it after all of them. */
export async function endStarted(): Promise<void> {
  for (const end of started.splice(0).reverse()) await end();
}

export type Ended = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is left of its directory for temporary files. */
  readonly files: readonly string[];
};

/** Starts the script. Nothing of the test's environment reaches it but what is given. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const temporary = mkdtempSync(join(tmpdir(), 'flashblade-start-test-'));
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: { PATH: dirname(process.execPath), HOME: temporary, TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = -(child.pid ?? 0);
  const closed = once(child, 'close');
  started.push(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
    await closed;
    rmSync(temporary, { recursive: true, force: true });
  });

  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(
    ([stdout, stderr]): Ended => ({ code: child.exitCode, stdout, stderr, files: readdirSync(temporary) }),
  );
  return {
    child,
    ended,
    /** To every process of the group, as a terminal does it. */
    signalAll: (signal: NodeJS.Signals) => process.kill(group, signal),
    /** Whether a process of the group is running. */
    living: () => isAlive(group),
  };
}

/** An array whose API token the test knows, and its secret as a file. */
export async function arrayWithSecret(options: SimulatorOptions = {}, changes: object = {}) {
  const users = [{ username: 'pureuser', apiToken: API_TOKEN }];
  const simulator = await startSimulator({ users, ...options });
  const directory = mkdtempSync(join(tmpdir(), 'flashblade-start-test-'));
  started.push(async () => {
    await simulator.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const file = join(directory, 'secret.json');
  const secret = { apiToken: API_TOKEN, trust: { ca: simulator.certificate }, ...changes };
  writeFileSync(file, JSON.stringify(secret));
  const args = ['--host', `127.0.0.1:${simulator.port}`, '--secret-file', file, ...PACKAGED];
  return { simulator, args };
}

/** Every token that the array ever knew. */
export const tokensOf = ({ history }: Simulator): string[] => [API_TOKEN, ...history.map(({ authToken }) => authToken)];
