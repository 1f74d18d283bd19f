/** The AWS calls of a function by name, as `PutItem lease OPENING`. */
import type { ServiceCall } from '../aws/index.ts';
import type { Deployment } from './deployment.ts';

type Input = {
  readonly Key?: { readonly id: { readonly S: string } };
  readonly Item?: { readonly id: { readonly S: string }; readonly state?: { readonly S: string } };
};

/** Action, kind of item and its new state; nothing that differs from one lease to another. */
export function stepOf({ action, body }: ServiceCall): string {
  const { Key, Item } = body as Input;
  const kind = (Key ?? Item)?.id.S.split('#')[0];
  return [action, kind, Item?.state?.S].filter((part) => part !== undefined).join(' ');
}

/** The steps that reach the stand-ins during `work`, in the order of their arrival. */
export async function stepsDuring(d: Deployment, work: () => Promise<unknown>): Promise<string[]> {
  const steps: string[] = [];
  const unwatch = d.aws.onCall((phase, call) => {
    if (phase === 'received') steps.push(stepOf(call));
  });
  await work();
  unwatch();
  return steps;
}

/** Answers none of these steps before the last of them has arrived: only steps that go out together come through. */
export function holdTogether(d: Deployment, steps: readonly string[]): () => void {
  const missing = new Set(steps);
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  return d.aws.onCall(async (phase, call) => {
    if (phase !== 'received' || !steps.includes(stepOf(call))) return;
    missing.delete(stepOf(call));
    if (missing.size === 0) resolve();
    await complete;
  });
}
