/** One pact against one target: every interaction with its result, and what else went wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeConnections } from '../../lib/edges/flashblade/transport.ts';
import { type Interaction, keyOf, type Pact, statesOf, titleOf } from '../pact-file.ts';
import type { Target } from '../targets/target.ts';
import { fillIn } from './fill.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { mask } from './mask.ts';
import { type StateServer, startStateServer } from './state-server.ts';
import type { RawResult, Verifier } from './verifier.ts';

/** `reasons` is empty if the interaction passed. */
export type InteractionResult = { readonly title: string; readonly reasons: readonly string[] };

export type Verification = {
  /** As many as the pact has, in its order. */
  readonly interactions: readonly InteractionResult[];
  /** What is not about one interaction: a session left open, a verifier that did not come to a result. */
  readonly findings: readonly string[];
};

export const hasPassed = ({ interactions, findings }: Verification): boolean =>
  interactions.length > 0 && findings.length === 0 && interactions.every(({ reasons }) => reasons.length === 0);

/** Verifies, and closes every session that this opened. Never rejects for what array or verifier do. No token is told. */
export async function verify(pact: Pact, target: Target, verifier: Pick<Verifier, 'verify'>): Promise<Verification> {
  const failures = new Map<string, string>();
  const states = await startStateServer(target);
  const gateway = await startGateway(target, (why) => failures.set(states.current(), why));
  let raw: readonly RawResult[] = [];
  const findings: string[] = [];
  try {
    raw = await runVerifier(fillIn(pact, target), { states, gateway, verifier });
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

async function runVerifier(
  pact: Pact,
  { states, gateway, verifier }: { states: StateServer; gateway: Gateway; verifier: Pick<Verifier, 'verify'> },
): Promise<readonly RawResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-pact-'));
  try {
    const pactFile = join(folder, 'pact.json');
    writeFileSync(pactFile, JSON.stringify(pact));
    const job = { pactFile, provider: pact.provider.name, providerUrl: gateway.url, stateUrl: states.url };
    return await verifier.verify(job);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reasonsOf(
  interaction: Interaction,
  raw: readonly RawResult[],
  [stateFailures, failures]: readonly [ReadonlyMap<string, string>, ReadonlyMap<string, string>],
): readonly string[] {
  const states = statesOf(interaction);
  const key = keyOf(interaction.description, states);
  const results = raw.filter((result) => keyOf(result.description, result.providerStates) === key);
  if (results.length !== 1) return [`was verified ${results.length} times and not once`];
  const passed = results[0]?.result === 'OK';
  const arranging = passed ? [] : states.flatMap((name) => stateFailures.get(name) ?? []);
  if (arranging.length > 0) return arranging;
  // Our own 502 would do for an array that cannot serve.
  const mayBeOurs = !passed || (interaction.response?.status ?? 0) >= 500;
  const unanswered = (states.length === 0 ? [''] : states).flatMap((name) => failures.get(name) ?? []);
  return [...(mayBeOurs ? unanswered : []), ...results.flatMap(mismatchesOf)];
}

/** A pending interaction that fails is a failure here. */
function mismatchesOf({ result, mismatch }: RawResult): readonly string[] {
  if (result === 'OK') return [];
  const mismatches = mismatch?.mismatches?.map((one) => one.mismatch) ?? [];
  return mismatches.length > 0
    ? mismatches
    : [mismatch?.message ?? 'failed for a reason that the verifier does not tell'];
}
