/** Global setup for tests that need the packaged product. Builds and packages the functions once per run. */
import { buildFunctions } from '../../scripts/build.ts';
import { packageFunctions } from '../../scripts/package.ts';

const DONE = Symbol.for('flashblade-sessions: packaged');
type Global = { [DONE]?: Promise<void> };

async function packageAll(): Promise<void> {
  await buildFunctions();
  await packageFunctions();
}

/** Two projects in the same run use this setup. */
export default function setup(): Promise<void> {
  (globalThis as Global)[DONE] ??= packageAll();
  return (globalThis as Global)[DONE] as Promise<void>;
}
