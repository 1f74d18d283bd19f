/** What must hold after any work of two versions. */
import type { World } from './world.ts';

/** Sessions, leases, SUSPECTs and slots that have not ended. */
export async function leftIn(w: World): Promise<string[]> {
  const open = (await w.items()).flatMap(({ id, kind, state = '', live }) => {
    if (live !== undefined) return Object.keys(live).map((slot) => `${id} has the slot ${slot}`);
    return kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED') ? [`${id} ${state}`] : [];
  });
  return [...open, ...w.simulator.sessions().map(({ requestId }) => `session ${requestId}`)];
}

const FAILURE = /"event":"(LedgerWriteFailed|SweepFailed|LeaseAltered)"|"(code|errorType)":"INTERNAL"/;

/** Log lines of failures that no version may cause in the other. `before`: those of earlier work. */
export const failuresIn = ({ previous, today }: World, before: readonly string[] = []): string[] =>
  [...previous.output().split('\n'), ...today.output().split('\n')].filter(
    (line) => FAILURE.test(line) && !before.includes(line),
  );
