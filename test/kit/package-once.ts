/** Global set-up of the tests that need the product as it is deployed: builds and packages the functions, once per run. */
import { buildFunctions } from '../../scripts/build.ts';
import { packageFunctions } from '../../scripts/package.ts';

const DONE = Symbol.for('flashblade-sessions: packaged');
type Global = { [DONE]?: Promise<void> };

async function packageAll(): Promise<void> {
  await buildFunctions();
  await packageFunctions();
}

/** Two projects of one run have this set-up. */
export default function setup(): Promise<void> {
  (globalThis as Global)[DONE] ??= packageAll();
  return (globalThis as Global)[DONE] as Promise<void>;
}
