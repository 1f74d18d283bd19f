/** Runs, for each faulty client, the tests that must fail. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import { FAULTY_CLIENTS, type FaultyClient } from './faulty-clients.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const pacts = mkdtempSync(join(tmpdir(), 'flashblade-faulty-clients-'));
process.once('exit', () => rmSync(pacts, { recursive: true, force: true }));

const change = ({ file, from, to }: FaultyClient): Plugin => ({
  // Projects whose plugins have the same names share one server, and thus each other's changes.
  name: `faulty-client: ${to}`,
  enforce: 'pre',
  transform: (source, id) => {
    if (id !== resolve(ROOT, file)) return undefined;
    if (source.split(from).length !== 2) throw new Error(`${file} must contain exactly once: ${from}`);
    return source.replace(from, () => to);
  },
});

const project = (name: string, clients: readonly FaultyClient[], plugins: Plugin[]) => ({
  plugins,
  test: {
    name,
    include: [...new Set(clients.map(({ by }) => by))],
    testNamePattern: clients.map(({ test }) => test).join('|'),
    env: { CONTRACTS_PACT_FOLDER: mkdtempSync(join(pacts, 'project-')) },
    // Each file in its own process. Otherwise later files reuse the modules of earlier ones.
    pool: 'forks' as const,
    testTimeout: 20_000,
  },
});

const clients = Object.entries(FAULTY_CLIENTS);

export default defineConfig({
  root: ROOT,
  test: {
    maxWorkers: 1,
    fileParallelism: false,
    reporters: [resolve(import.meta.dirname, 'failed-tests-reporter.ts')],
    projects: [
      project(
        'unchanged',
        clients.map(([, client]) => client),
        [],
      ),
      ...clients.map(([name, client]) => project(name, [client], [change(client)])),
    ],
  },
});
