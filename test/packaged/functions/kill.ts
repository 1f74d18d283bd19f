/** Kills a function's process at one step: when the other side has received the step, or when it has acted on it. */

import type { Deployment } from '../../kit/deploy.ts';
import type { Lambda, Outcome } from '../../kit/lambda/lambda.ts';
import { stepOf } from './steps.ts';

export type Phase = 'received' | 'done';
/** `nth` counts equal steps of the same work, from 0. */
export type Step = { readonly name: string; readonly nth: number };

type OnStep = (step: Step, phase: Phase) => Promise<void> | void;

/** Follows every step of a function that concerns `subject`, a text in all of its AWS calls. */
function follow(d: Deployment, subject: string, onStep: OnStep): () => void {
  const counts: Record<Phase, Map<string, number>> = { received: new Map(), done: new Map() };
  const count = (name: string, phase: Phase): Step => {
    const nth = counts[phase].get(name) ?? 0;
    counts[phase].set(name, nth + 1);
    return { name, nth };
  };
  d.watchArray(async (phase, { path }) => onStep(count(path, phase), phase));
  const unwatch = d.aws.onCall(async (phase, call) => {
    if (JSON.stringify(call.body).includes(subject)) await onStep(count(stepOf(call), phase), phase);
  });
  return () => {
    unwatch();
    d.watchArray(undefined);
  };
}

/** The steps of a function during `work`, in the order of their arrival. */
export async function recordSteps(d: Deployment, subject: string, work: () => Promise<unknown>): Promise<Step[]> {
  const steps: Step[] = [];
  const leave = follow(d, subject, (step, phase) => {
    if (phase === 'received') steps.push(step);
  });
  await work();
  leave();
  return steps;
}

export type Kill = { readonly lambda: Lambda; readonly at: Step; readonly phase: Phase };

/**
 * Runs `work` and kills the function's process with SIGKILL at the step. In the phase `received`, the other side never acts.
 * Throws if the process was not killed because the step did not occur.
 */
export async function killDuring(
  d: Deployment,
  subject: string,
  { lambda, at, phase }: Kill,
  work: () => Promise<Outcome>,
): Promise<void> {
  const leave = follow(d, subject, async (step, reached) => {
    if (step.name !== at.name || step.nth !== at.nth || reached !== phase) return;
    await lambda.kill('SIGKILL');
    if (phase === 'received') dropped(d, at.name);
  });
  const outcome = await work();
  leave();
  if (!('killed' in outcome)) throw new Error(`Not killed at ${at.name}, but ${JSON.stringify(outcome)}`);
}

/** Makes the step have no effect. An AWS stand-in whose hook throws does nothing; the simulated array needs a fault. */
function dropped(d: Deployment, name: string): void {
  if (!name.startsWith('/')) throw new Error('The caller is dead');
  d.simulator.faults.add({ kind: 'reset', act: false, path: name, times: 1 });
}
