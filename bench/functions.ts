/** The packaged functions under AWS's runtime client, beside stand-ins for AWS and a simulated array. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Lambda, startLambda } from '../test/kit/lambda/lambda.ts';
import packageOnce from '../test/kit/package-once.ts';
import { zipOf } from '../test/kit/packaged.ts';
import { deployEverything, type Everything } from '../test/packaged/counters/deployment.ts';

export type Stage = Everything & {
  /** Starts a handler of bench/handlers/ with the variables of the functions. */
  readonly startHandler: (name: 'empty' | 'bare') => Promise<Lambda>;
};

/** Packages the current code. A quick run takes the existing package, because tests may be reading it. Everything lives until the end of `stack`. */
export async function openStage(quick: boolean, stack: AsyncDisposableStack): Promise<Stage> {
  if (!quick || !existsSync(zipOf('login'))) await packageOnce();
  const d = stack.adopt(await deployEverything(), ({ stop }) => stop());
  const directory = resolve(import.meta.dirname, 'handlers');
  return {
    ...d,
    startHandler: async (name) =>
      stack.adopt(await startLambda({ directory, handler: `${name}.handler`, env: d.env }), ({ stop }) => stop()),
  };
}
