/** Kills: processes of the functions are killed at random moments, and the simulator shows whether a session was forgotten. */
import { type Deployment, deploy } from '../kit/deploy.ts';
import type { Outcome } from '../kit/lambda/lambda.ts';
import { OPERATIONS } from '../kit/operations.ts';
import { unknownSessions } from '../packaged/functions/unknown-sessions.ts';
import { ATTACKED, ATTACKED_FUNCTIONS, type Attacked } from './faults.ts';
import { randomOf } from './world/random.ts';

/**
 * Kills `kills` processes at work, of all operations in turn. The seed decides how long after its first call each is killed; the rest
 * depends on the machine. `wrong`: live sessions that were missing from the ledger, as text.
 */
export async function proveKills({ seed, kills }: { readonly seed: number; readonly kills: number }) {
  const random = randomOf(seed);
  const env = { SECRET_CACHE_SECONDS: '0', SESSIONS_PER_ARRAY: '500' };
  const d = await deploy({ functions: ATTACKED_FUNCTIONS, env });
  const wrong: string[] = [];
  let [killed, cases] = [0, 0];
  try {
    const longestMs = new Map<Attacked, number>();
    for (const name of ATTACKED) longestMs.set(name, await durationOf(d, name));
    while (killed < kills) {
      const name = ATTACKED[cases % ATTACKED.length] as Attacked;
      const before = (await unknownSessions(d)).length;
      // Half of them are killed early, while they open a session.
      const afterMs = random.next() * (longestMs.get(name) ?? 0) * random.pick([0.5, 1]);
      const outcome = await killOnce(d, name, `case-${++cases}-`, afterMs);
      if ('killed' in outcome) killed += 1;
      else if (!('result' in outcome)) throw new Error(`${name} failed: ${JSON.stringify(outcome)}`);
      const unknown = (await unknownSessions(d)).length - before;
      if (unknown > 0) wrong.push(`${name}, case ${cases} of seed ${seed}: ${unknown} unknown sessions`);
    }
    // Requests that were on their way when their sender died have arrived by now, too.
    const late = (await unknownSessions(d)).length - wrong.length;
    if (late > 0) wrong.push(`seed ${seed}: ${late} unknown sessions at the end`);
  } finally {
    await d.stop();
  }
  return { kills: killed, wrong };
}

/** How long a new process works after its first call, in milliseconds. */
async function durationOf(d: Deployment, name: Attacked): Promise<number> {
  let begunAt = 0;
  await runOnce(d, name, `measured-${OPERATIONS[name].of}-`, () => {
    begunAt = performance.now();
  });
  return performance.now() - begunAt;
}

/** Kills the process so long after its first call, if it still runs. */
async function killOnce(d: Deployment, name: Attacked, leaseId: string, afterMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const outcome = await runOnce(d, name, leaseId, () => {
    timer = setTimeout(() => void d.lambdaOf(OPERATIONS[name].of).kill('SIGKILL'), afterMs);
  });
  clearTimeout(timer);
  return outcome;
}

/** Runs the operation in a new process, as after a kill. */
async function runOnce(d: Deployment, name: Attacked, leaseId: string, onFirstCall: () => void): Promise<Outcome> {
  const { of, prepare, event } = OPERATIONS[name];
  d.addArray(leaseId);
  await prepare(d, leaseId);
  await d.lambdaOf(of).kill('SIGKILL');
  let isFirst = true;
  const leave = d.aws.onCall((phase) => {
    if (phase === 'received' && isFirst) onFirstCall();
    isFirst = false;
  });
  const outcome = await d.invoke(of, event(leaseId));
  leave();
  return outcome;
}
