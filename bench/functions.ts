/** Runs the packaged functions under AWS's runtime client, with stand-ins for AWS and a simulated array. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Deployment, deploy } from '../test/kit/deploy.ts';
import { type Lambda, startLambda } from '../test/kit/lambda/lambda.ts';
import packageOnce from '../test/kit/package-once.ts';
import { FUNCTIONS, zipOf } from '../test/kit/packaged.ts';
import { ARRAY } from '../test/packaged/counters/rounds.ts';

export type Stage = Deployment & {
  /** Starts a handler from bench/handlers/ with the functions' environment variables. */
  readonly startHandler: (name: 'empty' | 'bare') => Promise<Lambda>;
};

/**
 * Packages the current code. A quick run does not replace an existing package, because tests may be reading it. `stack` stops everything
 * that was started.
 */
export async function openStage(quick: boolean, stack: AsyncDisposableStack): Promise<Stage> {
  if (!quick || !existsSync(zipOf('login'))) await packageOnce();
  const d = stack.adopt(await deploy({ functions: FUNCTIONS, keepsTraffic: false }), ({ stop }) => stop());
  d.addArray(ARRAY);
  const directory = resolve(import.meta.dirname, 'handlers');
  return {
    ...d,
    startHandler: async (name) =>
      stack.adopt(await startLambda({ directory, handler: `${name}.handler`, env: d.env }), ({ stop }) => stop()),
  };
}
