/** The packaged functions that callers and the schedule invoke, over one ledger and one simulated array. */

import { type Lambda, startLambda } from '../kit/lambda/lambda.ts';
import { zipOf } from '../kit/packaged.ts';
import { type Deployment, type DeployOptions, deploy } from '../packaged/functions/deployment.ts';

export const FUNCTIONS = ['login', 'logout', 'call-array', 'renew', 'sweep-sessions'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** A bundle that replaces the product's: its directory, and its file name without extension. */
export type Bundle = { readonly directory: string; readonly name: string };

export type Deployed = Deployment & {
  /** Each runs in its own process. The deployment's `login` and `logout` are separate: they prepare and clean up. */
  readonly subjects: Readonly<Record<FunctionName, Lambda>>;
};

export async function deployAll(
  options: DeployOptions & { readonly bundles?: Partial<Record<FunctionName, Bundle>> } = {},
): Promise<Deployed> {
  const { bundles, ...others } = options;
  const d = await deploy(others);
  const env = { ...d.env, ...options.env };
  const started = await Promise.all(
    FUNCTIONS.map(async (functionName) => {
      const bundle = bundles?.[functionName];
      const code = bundle
        ? { directory: bundle.directory, handler: `${bundle.name}.handler` }
        : { zip: zipOf(functionName), handler: `dist/functions/${functionName}.handler` };
      return [functionName, await startLambda({ ...code, functionName, env })] as const;
    }),
  );
  const subjects = Object.fromEntries(started) as Record<FunctionName, Lambda>;
  const stop = async (): Promise<void> => {
    await Promise.all(Object.values(subjects).map((subject) => subject.stop()));
    await d.stop();
  };
  return { ...d, subjects, stop };
}

/** Makes an open lease look expired. */
export async function expire(d: Deployment, leaseId: string): Promise<void> {
  const past = Math.floor(Date.now() / 1000) - 1;
  await d.tamper({ ...(await d.lease(leaseId)), expiresAt: past, dueAt: past });
}
