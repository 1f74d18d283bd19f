/** Kills: processes of the functions are killed at random moments, and the simulator shows whether a session was forgotten. */

import { type Deployment, deploy } from '../kit/deploy.ts';
import type { Outcome } from '../kit/lambda/lambda.ts';
import { unknownSessions } from '../packaged/functions/unknown-sessions.ts';
import { OPERATION_NAMES, OPERATIONS, type OperationName } from './operations.ts';
import { type Random, randomOf } from './world/random.ts';

/**
 * Kills `kills` processes at work, of all operations in turn. The seed decides how long after its first call each is killed; the rest
 * depends on the machine. `wrong`: live sessions that were missing from the ledger, as text.
 */
export async function proveKills({ seed, kills }: { readonly seed: number; readonly kills: number }) {
  const random = randomOf(seed);
  const env = { SECRET_CACHE_SECONDS: '0', SESSIONS_PER_ARRAY: '500' };
  const d = await deploy({ functions: OPERATION_NAMES, env });
  const wrong: string[] = [];
  let [killed, cases] = [0, 0];
  try {
    const longestMs = new Map<OperationName, number>();
    for (const name of OPERATION_NAMES) longestMs.set(name, await durationOf(d, name));
    while (killed < kills) {
      const name = OPERATION_NAMES[cases % OPERATION_NAMES.length] as OperationName;
      const subject = `case-${++cases}-`;
      const before = (await unknownSessions(d)).length;
      const outcome = await killOnce(d, { name, subject, random, longestMs: longestMs.get(name) ?? 0 });
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
async function durationOf(d: Deployment, name: OperationName): Promise<number> {
  const subject = `measured-${name}-`;
  d.addArray(subject);
  await OPERATIONS[name].prepare(d, subject);
  let begunAt = 0;
  const leave = onFirstCall(d, () => {
    begunAt = performance.now();
  });
  await d.lambdaOf(name).kill('SIGKILL');
  await d.invoke(name, OPERATIONS[name].event(subject));
  leave();
  return performance.now() - begunAt;
}

type One = {
  readonly name: OperationName;
  readonly subject: string;
  readonly random: Random;
  readonly longestMs: number;
};

async function killOnce(d: Deployment, { name, subject, random, longestMs }: One): Promise<Outcome> {
  d.addArray(subject);
  await OPERATIONS[name].prepare(d, subject);
  const lambda = d.lambdaOf(name);
  // Kill half of them early, while they open a session.
  const afterMs = random.next() * longestMs * random.pick([0.5, 1]);
  let timer: NodeJS.Timeout | undefined;
  const leave = onFirstCall(d, () => {
    timer = setTimeout(() => void lambda.kill('SIGKILL'), afterMs);
  });
  const outcome = await d.invoke(name, OPERATIONS[name].event(subject));
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
