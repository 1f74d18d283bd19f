/** Runs, for each faulty client, the tests that must fail. */
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import type { TestModule } from 'vitest/node';
import { ROOT } from '../../../scripts/build.ts';
import { patched } from '../../proofs/controls.ts';
import { BY_OTHERS } from './faulty-clients.ts';

type FaultyClient = (typeof BY_OTHERS)[string];

const change = (client: FaultyClient): Plugin => ({
  // Projects whose plugins have the same names share one server, and thus each other's changes.
  name: `faulty-client: ${client.file} ${client.find} ${client.replace}`,
  enforce: 'pre',
  transform: (source, id) => (id === resolve(ROOT, client.file) ? patched(source, client) : undefined),
});

const project = (name: string, clients: readonly FaultyClient[], plugins: Plugin[]) => ({
  plugins,
  test: {
    name,
    include: [...new Set(clients.map(({ by }) => by))],
    testNamePattern: clients.map(({ test }) => escaped(test)).join('|'),
    // Each file in its own process. Otherwise later files reuse the modules of earlier ones.
    pool: 'forks' as const,
    testTimeout: 20_000,
  },
});

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Prints the names of the failed tests, by project, as one line of JSON. */
function printFailed(modules: readonly TestModule[]): void {
  const broken = modules.find((module) => module.errors().length > 0);
  // A file that cannot be loaded is an error, not a failed test.
  if (broken) throw new Error(`${broken.moduleId} cannot be loaded`);
  const failed = Map.groupBy(modules, ({ project }) => project.name);
  const namesOf = (module: TestModule) => [...module.children.allTests('failed')].map(({ name }) => name);
  process.stdout.write(
    `${JSON.stringify(Object.fromEntries([...failed].map(([name, own]) => [name, own.flatMap(namesOf)])))}\n`,
  );
}

export default defineConfig({
  root: ROOT,
  test: {
    maxWorkers: 2,
    reporters: [{ onTestRunEnd: printFailed }],
    projects: [
      project('unchanged', Object.values(BY_OTHERS), []),
      ...Object.entries(BY_OTHERS).map(([name, client]) => project(name, [client], [change(client)])),
    ],
  },
});
