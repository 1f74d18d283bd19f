/** Runs `npm start`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';
import { zipOf } from '../../kit/packaged.ts';
import { runScript } from '../../kit/script.ts';

export const PACKAGED = ['--packaged', dirname(zipOf('login'))];
export const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';

const started: (() => Promise<void>)[] = [];

/** Stops everything that the tests of a file started. The tests can run concurrently, so call it after all of them. */
export async function endStarted(): Promise<void> {
  for (const end of started.splice(0).reverse()) await end();
}

export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const script = runScript('scripts/start.ts', args, env);
  started.push(script.stop);
  return script;
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
