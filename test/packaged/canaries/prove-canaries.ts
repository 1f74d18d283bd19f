/** Runs every case in which a token might leak and every fault of the array and AWS, and searches all output for tokens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunctions } from '../../../scripts/build.ts';
import { canary } from '../../kit/canary.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { ALL_CASES, type Case as FaultCase } from '../../proofs/faults.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../proofs/operations.ts';
import { builtFiles } from './built.ts';
import { allCases } from './matrix.ts';
import { runCases, startWorld } from './world.ts';

/** Short timeouts, so that faults that hang end soon. Another proof covers deadlines. */
const ENV = { CONNECT_TIMEOUT_MS: '500', FIRST_BYTE_TIMEOUT_MS: '500', ANSWER_TIMEOUT_MS: '1000' };

export type CanariesResult = {
  readonly cases: number;
  /** How many characters were searched. */
  readonly searched: number;
  /** Where a token was found. Empty if nowhere. */
  readonly wrong: readonly string[];
};

/** Takes several minutes. The functions must be packaged. */
export async function proveCanaries(): Promise<CanariesResult> {
  const results = [await proveMatrix(), await proveFaults(), await proveBundles()];
  return {
    cases: results.reduce((sum, { cases }) => sum + cases, 0),
    searched: results.reduce((sum, { searched }) => sum + searched, 0),
    wrong: results.flatMap(({ wrong }) => wrong),
  };
}

async function proveMatrix(): Promise<CanariesResult> {
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

/** The faults of proofs/faults.ts: timed there, searched for tokens here. */
async function proveFaults(): Promise<CanariesResult> {
  const d = await deploy({ functions: OPERATION_NAMES, env: ENV });
  try {
    for (const [index, one] of ALL_CASES.entries()) await meet(d, one, `case-${index}`);
    const searched = lengthOf(Object.values(await d.visible()));
    return { cases: ALL_CASES.length, searched, wrong: await d.leaks() };
  } finally {
    await d.stop();
  }
}

async function meet(d: Deployment, { of, fault }: FaultCase, name: string): Promise<void> {
  d.addArray(name);
  await OPERATIONS[of].prepare(d, name);
  fault.arrange(d);
  await d.invoke(of, OPERATIONS[of].event(name));
  await d.simulator.faults.clear();
  d.aws.faults.clear();
}

/** Bundles that are built with a token in the environment. */
async function proveBundles(): Promise<CanariesResult> {
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
