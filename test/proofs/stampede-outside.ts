/** The stampede once more, outside: a program over the real ports, the stand-ins of AWS and a simulated array. */
import { deploy } from '../functions/deployment.ts';
import { unknownSessions } from '../functions/unknown-sessions.ts';
import { tell } from './program.ts';
import type { Told } from './stampede-program.ts';

export const LIMIT = 10;
const CALLS = 30;
/** All calls at once may take a busy machine longer than an array may take for one. */
const PATIENT = { CONNECT_TIMEOUT_MS: '20000', FIRST_BYTE_TIMEOUT_MS: '20000', ANSWER_TIMEOUT_MS: '20000' };

export type OutsideResult = Told & { readonly most: number; readonly wrong: readonly string[] };

/** `program`: from the project's root. */
export async function stampedeOutside(program = 'test/proofs/stampede-program.ts'): Promise<OutsideResult> {
  const d = await deploy();
  try {
    d.addArray('fb1');
    let most = 0;
    d.watchArray(() => {
      most = Math.max(most, d.simulator.sessions().length);
    });
    const told = await tell<Told>(program, ['fb1', CALLS], { ...d.env, ...PATIENT, SESSIONS_PER_ARRAY: String(LIMIT) });
    const unknown = (await unknownSessions(d)).length;
    const left = d.simulator.sessions().length;
    const wrong = [
      ...(most > LIMIT ? [`${most} sessions were alive at once`] : []),
      ...(unknown > 0 ? [`${unknown} sessions are not in the ledger`] : []),
      ...(left > 0 ? [`${left} sessions are open after their leases were closed`] : []),
    ];
    return { ...told, most, wrong };
  } finally {
    await d.stop();
  }
}
