/** Checks a pact, then verifies it against the simulator or a real array. */
import { checkPact } from '../../contracts/checks/pact-checks.ts';
import { type Pact, statesOf } from '../../contracts/pact-file.ts';
import { definitionOf } from '../../contracts/states.ts';
import { arrayTarget, type RealArray } from '../../contracts/targets/array.ts';
import { openSession } from '../../contracts/targets/sign-in.ts';
import { simulatorTarget } from '../../contracts/targets/simulator.ts';
import { startVerifier, type Verifier } from '../../contracts/verification/verifier.ts';
import { verify } from '../../contracts/verification/verify.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { startSimulator } from '../../simulator/index.ts';
import type { Section } from './report.ts';

/** Verifies a simulated array over TLS. Afterward, the array must have no live sessions. */
export async function verifySimulator(pact: Pact, signal: AbortSignal): Promise<Section> {
  const provider = 'the simulator';
  const findings = checkPact(pact);
  if (findings.length > 0) return { provider, verification: { interactions: [], findings } };
  const simulator = await startSimulator();
  try {
    const verification = await withVerifier(signal, (verifier) => verify(pact, simulatorTarget(simulator), verifier));
    const left = simulator.sessions().length;
    const open = left === 0 ? [] : [`${left} sessions are still open on the simulator`];
    return { provider, verification: { ...verification, findings: [...verification.findings, ...open] } };
  } finally {
    await simulator.stop();
  }
}

/** Keeps only the interactions whose states can be produced on a real array by logging in and out. */
export const liveOf = (pact: Pact): Pact => ({
  ...pact,
  interactions: pact.interactions.filter((interaction) =>
    statesOf(interaction).every((name) => definitionOf(name)?.live !== false),
  ),
});

/** Logs in once before anything else, so that a wrong API token, user or certificate ends the run early. */
export async function verifyArray(
  pact: Pact,
  real: RealArray,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<Section> {
  const live = liveOf(pact);
  const provider = `${real.array.host}:${real.array.port}, as ${real.username}`;
  const findings = checkPact(live);
  if (findings.length > 0) return { provider, verification: { interactions: [], findings } };

  const unknownTokens = live.interactions.filter((one) => statesOf(one).includes('the API token is not known')).length;
  say(
    `${provider}: ${live.interactions.length} of ${pact.interactions.length} interactions can be verified on a real array.`,
  );
  say(
    `Logins with made-up API tokens, which the array must refuse: ${unknownTokens}. ` +
      'If the array refuses your own API token, the run ends after one try.',
  );
  const target = arrayTarget(real, { unknownTokens });
  try {
    const { username } = await openSession(real.array, real.apiToken, target.sessions);
    if (username !== real.username)
      findings.push(`the API token belongs to ${username}, not to the user in FLASHBLADE_USERNAME`);
  } catch (error) {
    findings.push(error instanceof Error ? error.message : 'an unexpected error');
  }
  if (signal.aborted) findings.push('interrupted before anything was verified');
  if (findings.length > 0) {
    findings.push(...(await target.sessions.closeAll()));
    closeConnections();
    return { provider, verification: { interactions: [], findings } };
  }
  return { provider, verification: await withVerifier(signal, (verifier) => verify(live, target, verifier)) };
}

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
