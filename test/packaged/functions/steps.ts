/** The steps of a function: its calls to AWS and its requests to the array. A process can be killed at each of them. */
import type { ServiceCall } from '../../kit/aws/index.ts';
import type { Deployment } from '../../kit/deploy.ts';
import type { Lambda, Outcome } from '../../kit/lambda/lambda.ts';

type Input = {
  readonly Key?: { readonly id: { readonly S: string } };
  readonly Item?: { readonly id: { readonly S: string }; readonly state?: { readonly S: string } };
};

/** Names an AWS call, such as `PutItem lease OPENING`. The name contains nothing that differs between leases. */
export function stepOf({ action, body }: Pick<ServiceCall, 'action' | 'body'>): string {
  const { Key, Item } = body as Input;
  const kind = (Key ?? Item)?.id.S.split('#')[0];
  return [action, kind, Item?.state?.S].filter((part) => part !== undefined).join(' ');
}

/** When the other side has received a step, or when it has acted on it. */
export type Phase = 'received' | 'done';

/**
 * Calls `act` at every step that any function takes. The other side waits for it. `subject`: leaves out AWS calls that do not contain this
 * text. Returns a function that ends this.
 */
export function onStep(
  d: Pick<Deployment, 'aws' | 'watchArray'>,
  act: (name: string, phase: Phase) => Promise<void> | void,
  subject = '',
): () => void {
  d.watchArray((phase, { method, path }) => act(`${method} ${path}`, phase));
  const unwatch = d.aws.onCall((phase, call) => {
    if (JSON.stringify(call.body).includes(subject)) return act(stepOf(call), phase);
    return undefined;
  });
  return () => {
    unwatch();
    d.watchArray(undefined);
  };
}

/** `nth` counts equal steps of the same work, from 0. */
export type Step = { readonly name: string; readonly nth: number };

/** The steps of a function during `work` that concern `subject`, in the order of their arrival. */
export async function recordSteps(d: Deployment, subject: string, work: () => Promise<unknown>): Promise<Step[]> {
  const steps: Step[] = [];
  const record = (name: string, phase: Phase): void => {
    if (phase === 'received') steps.push({ name, nth: steps.filter((step) => step.name === name).length });
  };
  const leave = onStep(d, record, subject);
  await work();
  leave();
  return steps;
}

type Kill = { readonly lambda: Lambda; readonly at: Step; readonly phase: Phase };

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
  let left = at.nth;
  const kill = async (name: string, reached: Phase): Promise<void> => {
    if (name !== at.name || reached !== phase || left-- !== 0) return;
    await lambda.kill('SIGKILL');
    if (phase === 'done') return;
    const [, path] = name.split(' /');
    // A stand-in for AWS whose hook throws does nothing; the simulated array needs a fault.
    if (path === undefined) throw new Error('The caller is dead');
    d.simulator.faults.add({ kind: 'reset', act: false, path: `/${path}`, times: 1 });
  };
  const leave = onStep(d, kill, subject);
  const outcome = await work();
  leave();
  if (!('killed' in outcome)) throw new Error(`Not killed at ${at.name}, but ${JSON.stringify(outcome)}`);
}
