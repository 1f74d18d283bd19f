/** Runs the consumer tests over a copy of the client that is broken by a patch. Everything runs in this process, so that a run takes a moment. */
import '../../kit/reflect.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { format } from 'node:util';
import { build } from 'esbuild';
import { expect } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type Patch, patched } from '../../proofs/controls.ts';

type Run = (...row: unknown[]) => unknown;
type Collected = { readonly name: string; readonly run: () => unknown };

/** Stands in for Vitest in the copy: collects the tests instead of running them, because this process is running a test already. */
const RUNNER = 'flashblade-sessions consumer tests';
const STAND_IN = `export const { test, describe, expect } = globalThis[${JSON.stringify(RUNNER)}];`;

function collector() {
  const tests: Collected[] = [];
  const test = (name: string, run: Run) => void tests.push({ name, run: () => run() });
  test.each = (rows: readonly unknown[]) => (name: string, run: Run) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      tests.push({ name: format(name, ...values), run: () => run(...values) });
    }
  };
  const describe = (_: string, declare: () => void) => declare();
  return { tests, vitest: { test, describe, expect } };
}

/** Returns the name of the first test in `file` that fails, or undefined. Throws if a patch no longer fits or if the copy cannot be loaded. */
export async function firstFailure(file: string, patch?: Patch): Promise<string | undefined> {
  const folder = mkdtempSync(join(ROOT, 'dist', 'consumer-'));
  const { tests, vitest } = collector();
  Reflect.set(globalThis, RUNNER, vitest);
  const { CONTRACTS_PACT_FOLDER: before } = process.env;
  // Pact's native library reads PACT_DO_NOT_TRACK when it is loaded.
  Object.assign(process.env, { CONTRACTS_PACT_FOLDER: folder, PACT_DO_NOT_TRACK: 'true' });
  try {
    const outfile = join(folder, 'tests.mjs');
    let applied = patch === undefined;
    await build({
      absWorkingDir: ROOT,
      entryPoints: [file],
      outfile,
      bundle: true,
      ...({ format: 'esm', platform: 'node', target: 'node24', packages: 'external', logLevel: 'silent' } as const),
      plugins: [
        {
          name: 'broken on purpose',
          setup: ({ onLoad, onResolve }) => {
            onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'stand-in' }));
            onLoad({ filter: /.*/, namespace: 'stand-in' }, () => ({ contents: STAND_IN }));
            onLoad({ filter: /\.ts$/ }, async ({ path }) => {
              if (patch === undefined || resolve(ROOT, patch.file) !== path) return undefined;
              applied = true;
              return { contents: patched(await readFile(path, 'utf8'), patch), loader: 'ts' };
            });
          },
        },
      ],
    });
    if (!applied) throw new Error(`${file} does not import ${patch?.file}`);
    await import(outfile);
    if (tests.length === 0) throw new Error(`${file} has no tests`);
    for (const { name, run } of tests) {
      try {
        await run();
      } catch {
        return name;
      }
    }
    return undefined;
  } finally {
    if (before === undefined) delete process.env['CONTRACTS_PACT_FOLDER'];
    else process.env['CONTRACTS_PACT_FOLDER'] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}
