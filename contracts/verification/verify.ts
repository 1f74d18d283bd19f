/** Verifies one pact against one target. Returns a result for every interaction, plus all other findings. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import {
  type AnyInteraction,
  type AnyPact,
  type Interaction,
  keyOf,
  type Pact,
  statesOf,
  titleOf,
} from '../pact-file.ts';
import type { Target } from '../targets/target.ts';
import { fillIn } from './fill.ts';
import { startGateway } from './gateway.ts';
import { mask } from './mask.ts';
import { startStateServer } from './state-server.ts';
import type { RawResult, Verifier } from './verifier.ts';
import type { Job } from './verifier-process.ts';

/** `reasons` is empty if the interaction passed. */
export type InteractionResult = { readonly title: string; readonly reasons: readonly string[] };

export type Verification = {
  /** One result per interaction, in the pact's order. */
  readonly interactions: readonly InteractionResult[];
  /** Problems that do not belong to a single interaction, such as a session left open or a missing verifier result. */
  readonly findings: readonly string[];
};

export const hasPassed = ({ interactions, findings }: Verification): boolean =>
  interactions.length > 0 && findings.length === 0 && interactions.every(({ reasons }) => reasons.length === 0);

/**
 * Verifies a pact and closes every session that the verification opened. Resolves even if the array or verifier fails.
 * The result never contains a token.
 */
export async function verify(pact: Pact, target: Target, verifier: Pick<Verifier, 'verify'>): Promise<Verification> {
  const failures = new Map<string, string>();
  const states = await startStateServer(target);
  const gateway = await startGateway(target, (why) => failures.set(states.current(), why));
  let raw: readonly RawResult[] = [];
  const findings: string[] = [];
  try {
    raw = await verifyFile(fillIn(pact, target), { providerUrl: gateway.url, stateUrl: states.url }, verifier);
  } catch (error) {
    findings.push(error instanceof Error ? error.message : 'an unexpected error');
  } finally {
    await Promise.all([states.stop(), gateway.stop()]);
    await target.reset();
    findings.push(...(await target.sessions.closeAll()));
    closeConnections();
  }
  const secrets = [...target.secrets(), ...target.sessions.tokens(), ...gateway.tokens()];
  return {
    interactions: pact.interactions.map((interaction) => ({
      title: titleOf(interaction),
      reasons: reasonsOf(interaction, raw, [states.failures, failures]).map((reason) => mask(reason, secrets)),
    })),
    findings: findings.map((finding) => mask(finding, secrets)),
  };
}

/** Passes the pact to the verifier in a temporary file. */
export async function verifyFile(
  pact: AnyPact,
  at: Pick<Job, 'providerUrl' | 'stateUrl'>,
  verifier: Pick<Verifier, 'verify'>,
): Promise<readonly RawResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-pact-'));
  try {
    const pactFile = join(folder, 'pact.json');
    writeFileSync(pactFile, JSON.stringify(pact));
    return await verifier.verify({ pactFile, provider: pact.provider.name, ...at });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the verifier's result for an interaction, or an explanation if there is not exactly one result. */
export function resultOf(interaction: AnyInteraction, raw: readonly RawResult[]): RawResult | string {
  const key = keyOf(interaction.description, statesOf(interaction));
  const results = raw.filter((result) => keyOf(result.description, result.providerStates) === key);
  const [result] = results;
  return result !== undefined && results.length === 1 ? result : `was verified ${results.length} times instead of once`;
}

function reasonsOf(
  interaction: Interaction,
  raw: readonly RawResult[],
  [stateFailures, failures]: readonly [ReadonlyMap<string, string>, ReadonlyMap<string, string>],
): readonly string[] {
  const result = resultOf(interaction, raw);
  if (typeof result === 'string') return [result];
  const states = statesOf(interaction);
  const passed = result.result === 'OK';
  const arranging = passed ? [] : states.flatMap((name) => stateFailures.get(name) ?? []);
  if (arranging.length > 0) return arranging;
  // A 502 from our own gateway would satisfy an interaction that expects a 5xx.
  const mayBeOurs = !passed || (interaction.response?.status ?? 0) >= 500;
  const unanswered = (states.length === 0 ? [''] : states).flatMap((name) => failures.get(name) ?? []);
  return [...(mayBeOurs ? unanswered : []), ...mismatchesOf(result)];
}

/** Returns the reasons why an interaction failed, even if the interaction is pending. Returns an empty list if it passed. */
export function mismatchesOf({ result, mismatch }: RawResult): readonly string[] {
  if (result === 'OK') return [];
  const mismatches = mismatch?.mismatches?.map((one) => one.mismatch) ?? [];
  return mismatches.length > 0
    ? mismatches
    : [mismatch?.message ?? 'failed for a reason that the verifier does not report'];
}
