/** Checks the message pacts, then verifies them against their providers. */
import { checkMessages } from '../../contracts/checks/messages.ts';
import { checkAnyPact } from '../../contracts/checks/pact-checks.ts';
import { startFunctions } from '../../contracts/messages/functions.ts';
import { listenerOf } from '../../contracts/messages/listeners.ts';
import { documentedRequests } from '../../contracts/messages/stack.ts';
import { type MessageProvider, verifyMessages } from '../../contracts/messages/verify.ts';
import type { AnyPact, MessagePact } from '../../contracts/pact-file.ts';
import type { Verifier } from '../../contracts/verification/verifier.ts';
import { INTERRUPTED, type Verification } from '../../contracts/verification/verify.ts';
import type { Section } from './report.ts';
import { withVerifier } from './runs.ts';

const FUNCTIONS = 'the functions';

/** Verifies the requests shown in the documentation. */
export const verifyRequests = (pact: MessagePact, signal: AbortSignal): Promise<Section> =>
  section('the documented events', checkMessages(pact), signal, (verifier) =>
    verifyMessages(pact, documentedRequests(), verifier),
  );

/** Verifies the events and results that the functions actually produce. */
export const verifyOutcomes = (pact: MessagePact, signal: AbortSignal): Promise<Section> =>
  section(FUNCTIONS, checkMessages(pact), signal, (verifier) =>
    withFunctions((functions) => verifyMessages(pact, functions, verifier)),
  );

/** Verifies the functions against the pact of a program that listens to their events. */
export function verifyListener(theirs: AnyPact, signal: AbortSignal): Promise<Section> {
  const { pact, findings, served } = listenerOf(theirs);
  return section(FUNCTIONS, [...checkAnyPact(theirs), ...findings], signal, (verifier) =>
    // A listener may ignore fields.
    withFunctions((functions) => verifyMessages(pact, served(functions), verifier, { exact: false })),
  );
}

async function withFunctions<Result>(work: (functions: MessageProvider) => Promise<Result>): Promise<Result> {
  const functions = await startFunctions();
  try {
    return await work(functions);
  } finally {
    await functions.stop();
  }
}

async function section(
  provider: string,
  findings: readonly string[],
  signal: AbortSignal,
  work: (verifier: Verifier) => Promise<Verification>,
): Promise<Section> {
  if (findings.length > 0) return { provider, verification: { interactions: [], findings } };
  const verification = await withVerifier(signal, work);
  if (!signal.aborted) return { provider, verification };
  const interactions = verification.interactions.map(({ title }) => ({ title, reasons: [], skipped: INTERRUPTED }));
  return { provider, verification: { interactions, findings: [INTERRUPTED] } };
}
