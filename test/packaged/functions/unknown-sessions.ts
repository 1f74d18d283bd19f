/** The promise that every failure test checks at its end: the ledger records every live session. */
import type { Deployment } from '../../kit/deploy.ts';

/**
 * Every live session that is missing from the ledger, as the request id of its login. Functions may be at work meanwhile: an intent is
 * written before its login, so only sessions that were live before the ledger is read, and still are, must be in it.
 */
export async function unknownSessions(d: Pick<Deployment, 'simulator' | 'items'>): Promise<(string | undefined)[]> {
  const before = d.simulator.sessions().map(({ authToken }) => authToken);
  const known = (await d.items()).flatMap(({ kind, state, attemptId }) =>
    attemptId !== undefined && (kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED')) ? [attemptId] : [],
  );
  return d.simulator
    .sessions()
    .filter(({ authToken, requestId = '' }) => before.includes(authToken) && !known.includes(requestId))
    .map(({ requestId }) => requestId);
}
