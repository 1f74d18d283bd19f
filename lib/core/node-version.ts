/** Checks the Node.js version. The library imports this file first, so that an old version fails at once, not in the middle of a call. */
import { FlashBladeError } from './errors.ts';

export const NEEDED_NODE = '22.12';

/** Throws CONFIG_INVALID if this version of Node.js is older than the library needs. */
export function checkNode(version: string): void {
  const [[major = 0, minor = 0], [neededMajor = 0, neededMinor = 0]] = [version, NEEDED_NODE].map((one) =>
    one.split('.').map(Number),
  ) as [number[], number[]];
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new FlashBladeError(
    'CONFIG_INVALID',
    `flashblade-sessions needs Node.js ${NEEDED_NODE} or newer, but this is Node.js ${version}. Install a newer version from https://nodejs.org`,
  );
}

checkNode(process.versions.node);
