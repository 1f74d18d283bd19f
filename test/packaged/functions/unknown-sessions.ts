/** The promise that every failure test checks at its end: the ledger records every live session. */
import type { Deployment } from '../../kit/deploy.ts';

/** Every live session that is missing from the ledger, as the request id of its login. */
export async function unknownSessions(d: Deployment): Promise<(string | undefined)[]> {
  const recording = (await d.items()).filter(
    ({ kind, state }) => kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED'),
  );
  const known = new Set(recording.map(({ attemptId }) => attemptId));
  return d.simulator
    .sessions()
    .map(({ requestId }) => requestId)
    .filter((id) => id === undefined || !known.has(id));
}
