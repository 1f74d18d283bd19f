/** Verifies one pact against one target. Returns a result for every interaction, plus all other findings. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFlashBladeError } from '../../lib/core/errors.ts';
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
import { startGateway } from './gateway.ts';
import { mask } from './mask.ts';
import type { Exchange } from './observations.ts';
import { INTERACTION, startStateServer } from './state-server.ts';
import type { RawResult, Verifier } from './verifier.ts';
import type { Job } from './verifier-process.ts';

/** An interaction passed if it has no `reasons` and was not `skipped`. */
export type InteractionResult = {
  readonly title: string;
  readonly reasons: readonly string[];
  /** Why the interaction was not verified. */
  readonly skipped?: string;
  /** True if the interaction failed only because the array could not be reached or is not trusted. */
  readonly unreachable?: boolean;
};

export type Verification = {
  /** One result per interaction, in the pact's order. */
  readonly interactions: readonly InteractionResult[];
  /** Problems that do not belong to a single interaction, such as a session left open or a missing verifier result. */
  readonly findings: readonly string[];
  /** Why the array could not be reached or is not trusted. Set only if this ended the verification. */
  readonly unreachable?: string;
  /** What the array did. */
  readonly exchanges?: readonly Exchange[];
};

export const isPassed = ({ reasons, skipped }: InteractionResult): boolean =>
  reasons.length === 0 && skipped === undefined;

export const hasPassed = ({ interactions, findings, unreachable }: Verification): boolean =>
  interactions.some(isPassed) &&
  interactions.every(({ reasons }) => reasons.length === 0) &&
  findings.length === 0 &&
  unreachable === undefined;

/** Returns true if the error shows that the array cannot be reached or trusted, and that it received nothing. */
export const isUnreachable = (error: unknown): boolean =>
  isFlashBladeError(error, 'ARRAY_UNREACHABLE', 'ARRAY_UNTRUSTED') && error.facts.sent !== true;

/** What went wrong between the verifier and the array, by the interaction's index. */
type Failure = { readonly why: string; readonly unreachable: boolean };
type Failures = Map<string, Failure>;

/**
 * Verifies a pact and closes every session that the verification opened. Resolves even if the array or verifier fails, or if `signal` is
 * aborted, which skips what is not verified yet. The result never contains a token.
 */
export async function verify(
  pact: Pact,
  target: Target,
  verifier: Pick<Verifier, 'verify'>,
  signal?: AbortSignal,
): Promise<Verification> {
  const skipped = pact.interactions.map((interaction) => target.skip?.(interaction));
  const wanted: Pact = {
    ...pact,
    interactions: pact.interactions.map(numbered).filter((_, index) => skipped[index] === undefined),
  };
  const [stateFailures, failures]: [Failures, Failures] = [new Map(), new Map()];
  const states = await startStateServer(target, (interaction, error) =>
    stateFailures.set(interaction, { why: error.message, unreachable: isUnreachable(error.cause) }),
  );
  const gateway = await startGateway(target, {
    current: states.current,
    onFailure: (interaction, error) =>
      failures.set(interaction, { why: messageOf(error), unreachable: isUnreachable(error) }),
  });
  let raw: readonly RawResult[] = [];
  const findings: string[] = [];
  try {
    if (wanted.interactions.length > 0)
      raw = await verifyFile(wanted, { providerUrl: gateway.url, stateUrl: states.url }, verifier);
  } catch (error) {
    findings.push(signal?.aborted ? INTERRUPTED : messageOf(error));
  } finally {
    await Promise.all([states.stop(), gateway.stop()]);
    await target.reset();
    findings.push(...(await target.sessions.closeAll()));
    closeConnections();
  }
  const secrets = [...target.secrets(), ...target.sessions.tokens(), ...gateway.tokens()];
  const masked = (text: string) => mask(text, secrets);
  const interrupted = findings.includes(INTERRUPTED);
  return {
    interactions: pact.interactions.map((interaction, index) => {
      const title = titleOf(interaction);
      const why = skipped[index] ?? (interrupted ? INTERRUPTED : undefined);
      if (why !== undefined) return { title, reasons: [], skipped: masked(why) };
      const { reasons, unreachable } = reasonsOf(interaction, raw, [
        stateFailures.get(String(index)),
        failures.get(String(index)),
      ]);
      return { title, reasons: reasons.map(masked), ...(unreachable && { unreachable }) };
    }),
    findings: findings.map(masked),
    exchanges: gateway
      .exchanges()
      .map((one) => ({ ...one, path: masked(one.path), body: masked(one.body), server: masked(one.server) })),
  };
}

export const INTERRUPTED = 'the run was interrupted';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'an unexpected error');

/** Numbers the interaction's states and its request, so that each failure can be attributed. */
const numbered = (interaction: Interaction, index: number): Interaction => ({
  ...interaction,
  ...(interaction.providerStates && {
    providerStates: interaction.providerStates.map((state) => ({
      ...state,
      params: { ...state.params, [INTERACTION]: String(index) },
    })),
  }),
  ...(interaction.request && {
    request: {
      ...interaction.request,
      headers: { ...Object(interaction.request['headers']), [INTERACTION]: String(index) },
    },
  }),
});

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
  [stateFailure, failure]: readonly [Failure | undefined, Failure | undefined],
): { readonly reasons: readonly string[]; readonly unreachable: boolean } {
  const result = resultOf(interaction, raw);
  if (typeof result === 'string') return { reasons: [result], unreachable: false };
  const passed = result.result === 'OK';
  if (stateFailure !== undefined && !passed)
    return { reasons: [stateFailure.why], unreachable: stateFailure.unreachable };
  // A 502 from our own gateway would satisfy an interaction that expects a 5xx.
  const mayBeOurs = !passed || (interaction.response?.status ?? 0) >= 500;
  // The verifier compared our own 502, so its mismatches say nothing about the array.
  if (failure !== undefined && mayBeOurs) return { reasons: [failure.why], unreachable: failure.unreachable };
  return { reasons: mismatchesOf(result), unreachable: false };
}

/** Returns the reasons why an interaction failed, even if the interaction is pending. Returns an empty list if it passed. */
export function mismatchesOf({ result, mismatch }: RawResult): readonly string[] {
  if (result === 'OK') return [];
  const mismatches = mismatch?.mismatches?.map((one) => one.mismatch) ?? [];
  return mismatches.length > 0
    ? mismatches
    : [mismatch?.message ?? 'failed for a reason that the verifier does not report'];
}
