/** The stampede over real ports: a program with the AWS stand-ins and a simulated array. */
import { deploy } from '../kit/deploy.ts';
import { unknownSessions } from '../packaged/functions/unknown-sessions.ts';
import { tell } from './controls.ts';
import type { openAtOnce } from './stampede-program.ts';

export const LIMIT = 10;
const CALLS = 30;
/** From the project's root. */
export const PROGRAM = 'test/proofs/stampede-program.ts';
/** On a busy machine, all calls at once may take longer than the timeouts for one array call. */
const PATIENT = { CONNECT_TIMEOUT_MS: '20000', FIRST_BYTE_TIMEOUT_MS: '20000', ANSWER_TIMEOUT_MS: '20000' };

export async function stampedeOutside(program = PROGRAM) {
  await using cleanUp = new AsyncDisposableStack();
  const d = cleanUp.adopt(await deploy({ functions: [] }), ({ stop }) => stop());
  d.addArray('fb1');
  let most = 0;
  d.watchArray(() => {
    most = Math.max(most, d.simulator.sessions().length);
  });
  const env = { ...d.env, ...PATIENT, SESSIONS_PER_ARRAY: String(LIMIT) };
  const result = await tell<Awaited<ReturnType<typeof openAtOnce>>>(program, 'openAtOnce', ['fb1', CALLS], env);
  const unknown = (await unknownSessions(d)).length;
  const left = d.simulator.sessions().length;
  const wrong = [
    ...(most > LIMIT ? [`${most} sessions were alive at once`] : []),
    ...(unknown > 0 ? [`${unknown} sessions are not in the ledger`] : []),
    ...(left > 0 ? [`${left} sessions are open after their leases were closed`] : []),
  ];
  return { ...result, most, wrong };
}
