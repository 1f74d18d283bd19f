/** Checks the message pacts, then verifies them against their providers. */
import { checkMessages } from '../../contracts/checks/messages.ts';
import { startFunctions } from '../../contracts/messages/functions.ts';
import { documentedRequests } from '../../contracts/messages/stack.ts';
import { type MessageProvider, verifyMessages } from '../../contracts/messages/verify.ts';
import type { MessagePact } from '../../contracts/pact-file.ts';
import type { Section } from './report.ts';
import { withVerifier } from './runs.ts';

/** Verifies the requests shown in the documentation. */
export const verifyRequests = (pact: MessagePact, signal: AbortSignal): Promise<Section> =>
  verified('the documented events', pact, documentedRequests(), signal);

/** Verifies the events and results that the functions actually produce. */
export async function verifyOutcomes(pact: MessagePact, signal: AbortSignal): Promise<Section> {
  const functions = await startFunctions();
  try {
    return await verified('the functions', pact, functions, signal);
  } finally {
    await functions.stop();
  }
}

async function verified(
  provider: string,
  pact: MessagePact,
  sender: MessageProvider,
  signal: AbortSignal,
): Promise<Section> {
  const findings = checkMessages(pact);
  if (findings.length > 0) return { provider, verification: { interactions: [], findings } };
  return { provider, verification: await withVerifier(signal, (verifier) => verifyMessages(pact, sender, verifier)) };
}
