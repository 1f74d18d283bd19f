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
  const { of, prepare, event } = OPERATIONS[name];
  const leaseId = `measured-${of}-`;
  d.addArray(leaseId);
  await prepare(d, leaseId);
  let begunAt = 0;
  const leave = onFirstCall(d, () => {
    begunAt = performance.now();
  });
  await d.lambdaOf(of).kill('SIGKILL');
  await d.invoke(of, event(leaseId));
  leave();
  return performance.now() - begunAt;
}

/** Kills the process of one invocation so long after its first call. */
async function killOnce(d: Deployment, name: Attacked, leaseId: string, afterMs: number): Promise<Outcome> {
  const { of, prepare, event } = OPERATIONS[name];
  d.addArray(leaseId);
  await prepare(d, leaseId);
  const lambda = d.lambdaOf(of);
  let timer: NodeJS.Timeout | undefined;
  const leave = onFirstCall(d, () => {
    timer = setTimeout(() => void lambda.kill('SIGKILL'), afterMs);
  });
  const outcome = await d.invoke(of, event(leaseId));
  leave();
  clearTimeout(timer);
  // Use a new process each time, as after a kill.
  await lambda.kill('SIGKILL');
  return outcome;
}

function onFirstCall(d: Deployment, act: () => void): () => void {
  let isFirst = true;
  return d.aws.onCall((phase) => {
    if (phase === 'received' && isFirst) {
      isFirst = false;
      act();
    }
  });
}
