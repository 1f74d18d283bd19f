/** Checks a pact, then verifies it against the simulator or a real array. */
import { checkPact } from '../../contracts/checks/pact-checks.ts';
import { type Pact, statesOf, titleOf } from '../../contracts/pact-file.ts';
import { arrayTarget, isReadOnly, MAY_CHANGE, type RealArray } from '../../contracts/targets/array.ts';
import { simulatorTarget } from '../../contracts/targets/simulator.ts';
import { createOpenSessions } from '../../contracts/targets/target.ts';
import { answersOf, formOf } from '../../contracts/verification/observations.ts';
import { startVerifier, type Verifier } from '../../contracts/verification/verifier.ts';
import {
  INTERRUPTED,
  isPassed,
  isUnreachable,
  type Verification,
  verify,
} from '../../contracts/verification/verify.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { startSimulator } from '../../simulator/index.ts';
import { type ArrayFacts, examine } from './examine.ts';
import type { Section } from './report.ts';

const nothing = (findings: readonly string[]): Verification => ({ interactions: [], findings });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'an unexpected error');

/** Verifies a simulated array over TLS. Afterward, the array must have no live sessions. */
export async function verifySimulator(pact: Pact, signal: AbortSignal): Promise<Section> {
  const provider = 'the simulator';
  const findings = checkPact(pact);
  if (findings.length > 0) return { provider, verification: nothing(findings) };
  const simulator = await startSimulator();
  try {
    const target = simulatorTarget(simulator);
    const verification = await withVerifier(signal, (verifier) => verify(pact, target, verifier, signal));
    const left = simulator.sessions().length;
    const open = left === 0 ? [] : [`${left} sessions are still open on the simulator`];
    return { provider, verification: { ...verification, findings: [...verification.findings, ...open] } };
  } finally {
    await simulator.stop();
  }
}

export type ArrayRun = {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** If true, requests that may change the array are sent. Default: false. */
  readonly allowWrites?: boolean;
};

/** Logs in once before anything else, so that a wrong API token, user or certificate ends the run early. */
export async function verifyArray(
  pact: Pact,
  real: RealArray,
  { signal, say, allowWrites }: ArrayRun,
): Promise<Section> {
  const provider = `${real.array.host}:${real.array.port}, as ${real.username}`;
  const findings = [...checkPact(pact), ...(allowWrites ? [] : writesIn(pact))];
  if (findings.length > 0) return { provider, verification: nothing(findings) };

  announce(pact, provider, say);
  const before = createOpenSessions(real.array);
  let facts: ArrayFacts | undefined;
  let unreachable: string | undefined;
  try {
    facts = await examine(real, before, listsIn(pact));
    if (facts.username !== real.username)
      findings.push(`the API token belongs to ${facts.username}, not to the user in FLASHBLADE_USERNAME`);
  } catch (error) {
    if (isUnreachable(error)) unreachable = messageOf(error);
    else findings.push(messageOf(error));
  }
  findings.push(...(await before.closeAll()));
  if (signal.aborted) findings.push(INTERRUPTED);
  if (facts === undefined || findings.length > 0 || unreachable !== undefined) {
    closeConnections();
    return { provider, facts, verification: { ...nothing(findings), ...(unreachable && { unreachable }) } };
  }
  const { versions, unreadable } = facts;
  const target = arrayTarget(real, { version: versions.at(-1) ?? '', unreadable, ...(allowWrites && { allowWrites }) });
  const verification = await withVerifier(signal, (verifier) => verify(pact, target, verifier, signal));
  const answers = answersOf({
    exchanges: verification.exchanges ?? [],
    apiToken: formOf(real.apiToken.reveal()),
    openAtTheEnd: target.sessions.openAtTheEnd(),
    idleTimeoutMs: facts.idleTimeoutMs,
    listedAs: facts.listedAs,
  });
  return { provider, facts, answers, verification };
}

/** The lists that the pact's states name. */
const listsIn = ({ interactions }: Pact): string[] => [
  ...new Set(
    interactions
      .flatMap(({ providerStates = [] }) => providerStates.map(({ params }) => params?.['list']))
      .filter((list) => typeof list === 'string'),
  ),
];

function announce({ interactions }: Pact, provider: string, say: (line: string) => void): void {
  const unknown = interactions.filter((one) => statesOf(one).includes('the API token is not known')).length;
  say(`${provider}: the pact has ${interactions.length} interactions.`);
  say(
    `Logins with unknown API tokens, which the array must refuse: ${unknown}. ` +
      'If the array refuses your own API token, that token is not sent again.',
  );
}

/** Returns a finding for every request that may change the array. */
const writesIn = ({ interactions }: Pact): string[] =>
  interactions.flatMap((one) =>
    one.request === undefined || isReadOnly(one.request.method, one.request.path)
      ? []
      : [`"${titleOf(one)}": ${one.request.method} ${one.request.path} ${MAY_CHANGE}`],
  );

/** Returns true if everything that failed failed because the array could not be reached or is not trusted. */
export const couldNotReach = ({ interactions, findings, unreachable }: Verification): boolean => {
  const failed = interactions.filter((one) => !isPassed(one) && one.skipped === undefined);
  return (
    findings.length === 0 &&
    (unreachable !== undefined || failed.length > 0) &&
    failed.every((one) => one.unreachable === true)
  );
};

export async function withVerifier<Result>(
  signal: AbortSignal,
  work: (verifier: Verifier) => Promise<Result>,
): Promise<Result> {
  const verifier = startVerifier();
  const stop = () => void verifier.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await work(verifier);
  } finally {
    signal.removeEventListener('abort', stop);
    await verifier.stop();
  }
}
