/** Runs every case in which a token might leak, and searches all output for tokens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunctions } from '../../../scripts/build.ts';
import { canary } from '../../kit/canary.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { builtFiles } from './built.ts';
import { allCases } from './matrix.ts';
import { runCases, startWorld } from './world.ts';

/** Takes several minutes. The functions must be packaged. `searched`: how many characters. `wrong`: where a token was found. */
export async function proveCanaries() {
  const [matrix, bundles] = [await proveMatrix(), await proveBundles()];
  return {
    cases: matrix.cases + bundles.cases,
    searched: matrix.searched + bundles.searched,
    wrong: [...matrix.wrong, ...bundles.wrong],
  };
}

async function proveMatrix() {
  const w = await startWorld();
  try {
    const cases = allCases();
    const wrong = await runCases(w, cases);
    const searched = lengthOf(Object.values(await w.visible()));
    return { cases: cases.length, searched, wrong: [...wrong, ...(await w.leaks())] };
  } finally {
    await w.stop();
  }
}

/** Bundles that are built with a token in the environment. */
async function proveBundles() {
  const token = canary(0);
  const outdir = await mkdtemp(join(tmpdir(), 'flashblade-canary-'));
  process.env['API_TOKEN'] = token;
  try {
    await buildFunctions({ outdir });
    const built = await builtFiles([outdir]);
    const wrong = built.filter(({ text }) => tokensIn(text, [token]).length > 0).map(({ file }) => file);
    return { cases: built.length, searched: lengthOf(built.map(({ text }) => text)), wrong };
  } finally {
    delete process.env['API_TOKEN'];
    await rm(outdir, { recursive: true });
  }
}

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, { length }) => sum + length, 0);
