/** Runs a development tool in this project's folder: `node scripts/launch.mjs tool vitest run`. */
import { join } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { ROOT } from './build.ts';
import { refuseTaken, TakenByNpm } from './npm-flags.ts';

/** `flags`: those that people use. npm takes them, too, unless `--` stands before them. */
type Tool = { readonly bin: string; readonly flags: ParseArgsOptionsConfig };

const TOOLS: Readonly<Record<string, Tool>> = {
  vitest: {
    bin: 'vitest/vitest.mjs',
    flags: {
      ...switches('changed', 'coverage', 'inspect', 'lastFailed', 'run', 'silent', 'typecheck', 'ui', 'watch'),
      ...values(
        'bail',
        'maxWorkers',
        'outputFile',
        'pool',
        'project',
        'reporter',
        'retry',
        'shard',
        'testNamePattern',
        'testTimeout',
      ),
    },
  },
  tsc: { bin: 'typescript/bin/tsc', flags: {} },
  biome: { bin: '@biomejs/biome/bin/biome', flags: switches('fix', 'staged', 'unsafe', 'write') },
  stryker: {
    bin: '@stryker-mutator/core/bin/stryker.js',
    flags: { ...switches('force', 'incremental'), ...values('concurrency', 'mutate') },
  },
};

function switches(...names: string[]): ParseArgsOptionsConfig {
  return Object.fromEntries(names.map((name) => [name, { type: 'boolean' }]));
}

function values(...names: string[]): ParseArgsOptionsConfig {
  return Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
}

const [name = '', ...args] = process.argv.slice(2);
const tool = TOOLS[name];
try {
  if (tool === undefined) throw new Error(`say which tool: ${Object.keys(TOOLS).join(', ')}`);
  refuseTaken(args, tool.flags, process.env);
  const bin = join(ROOT, 'node_modules', tool.bin);
  process.chdir(ROOT);
  process.argv = [process.execPath, bin, ...args];
  await import(bin);
} catch (error) {
  if (tool !== undefined && !(error instanceof TakenByNpm)) throw error;
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
