/** Runs `npm run contracts` in its own process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SimulatorOptions } from '../../../simulator/index.ts';
import { runScript } from '../../kit/script.ts';
import { simulated } from '../../unit/contracts/providers.ts';

export const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';
export const USERNAME = 'verifier';

/** A path that is removed after the test, with everything in it. */
function removable(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-contracts-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the command. `ended` also has its reports, and `all` that it printed and wrote. */
export function run(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const folder = removable();
  const [report, junit] = [join(folder, 'out/report.md'), join(folder, 'out/junit.xml')];
  const reports = ['--report', report, '--junit', junit];
  const script = runScript('scripts/contracts.ts', [...args, ...reports], { HOME: folder, NO_COLOR: '1', ...env });
  onTestFinished(script.stop);
  const ended = script.ended.then((outcome) => {
    const texts = { report: textOf(report), junit: textOf(junit) };
    return { ...outcome, ...texts, all: [outcome.stdout, outcome.stderr, texts.report, texts.junit].join('\n') };
  });
  return { ...script, ended };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Creates a file that is removed after the test. */
export function fileWith(content: string): string {
  const file = join(removable(), 'file');
  writeFileSync(file, content);
  return file;
}

/** A simulated array, and the environment variables with which the command verifies it. */
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
