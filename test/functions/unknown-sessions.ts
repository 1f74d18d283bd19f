/** The promise that every test of a failure ends with: a live session is known to the ledger. */
import type { Deployment } from './deployment.ts';

/** Every live session that the ledger does not tell of, by the id of its login. */
export async function unknownSessions(d: Deployment): Promise<(string | undefined)[]> {
  const telling = (await d.items()).filter(
    ({ kind, state }) => kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED'),
  );
  const known = new Set(telling.map(({ attemptId }) => attemptId));
  return d.simulator
    .sessions()
    .map(({ requestId }) => requestId)
    .filter((id) => id === undefined || !known.has(id));
}
