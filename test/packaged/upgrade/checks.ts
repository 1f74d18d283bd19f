/** What must hold after any work of two versions. */
import type { World } from './world.ts';

/** Sessions, leases, SUSPECTs and slots that have not ended. */
export async function leftIn(w: World): Promise<string[]> {
  const open = (await w.items()).flatMap(({ id, kind, state, live }) => {
    if (live !== undefined) return Object.keys(live as object).map((slot) => `${id} has the slot ${slot}`);
    return kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED') ? [`${id} ${state ?? ''}`] : [];
  });
  return [...open, ...w.simulator.sessions().map(({ requestId }) => `session ${requestId}`)];
}

const FAILURE = /"event":"(LedgerWriteFailed|SweepFailed|LeaseAltered)"|"(code|errorType)":"INTERNAL"/;

/** Log lines of failures that no version may cause in the other. `before`: those of earlier work. */
export const failuresIn = ({ previous, today }: World, before: readonly string[] = []): string[] =>
  [...previous.output().split('\n'), ...today.output().split('\n')].filter(
    (line) => FAILURE.test(line) && !before.includes(line),
  );

/** Live sessions that no item of the ledger records. Both versions may be at work meanwhile: an intent is written before its login. */
export async function unknownSessions({ simulator, items }: World): Promise<string[]> {
  const before = simulator.sessions().map(({ requestId }) => requestId);
  const known = (await items()).flatMap(({ kind, state, attemptId }) =>
    kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED') ? [attemptId] : [],
  );
  const unknown = simulator.sessions().filter(({ requestId: id }) => before.includes(id) && !known.includes(id));
  return unknown.map(({ requestId }) => `the ledger does not know session ${requestId}`);
}
