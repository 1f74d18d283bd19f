/** Runs a project script as a user would, and makes an array wait so that a signal can arrive during a request. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ROOT } from '../../scripts/build.ts';
import type { OnRequest } from '../../simulator/index.ts';

/**
 * Starts the script in its own process and process group, as a terminal would. The script gets none of the test's environment variables
 * unless you pass them. `stop` ends the script and removes its directory.
 */
export function runScript(
  path: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
) {
  const temporary = mkdtempSync(join(tmpdir(), 'flashblade-script-'));
  const child = spawn(process.execPath, [resolve(ROOT, path), ...args], {
    env: { PATH: dirname(process.execPath), HOME: temporary, TMPDIR: temporary, ...env },
    detached: true,
  });
  const group = -(child.pid ?? 0);
  let [stdout, stderr] = ['', ''];
  child.stdin.on('error', () => {}); // the script may have ended
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const closed = once(child, 'close');
  const ended = closed.then(() => ({
    code: child.exitCode,
    stdout,
    stderr,
    /** The files left in the script's temporary directory. */
    files: readdirSync(temporary),
  }));

  return {
    child,
    ended,
    /** Resolves with the pattern's first group once the script has printed a match. */
    printed: async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const found = pattern.exec(stdout);
        if (found) return found[1] ?? found[0];
        const isOver = await Promise.race([once(child.stdout, 'data').then(() => false), closed.then(() => true)]);
        if (isOver && !pattern.test(stdout)) throw new Error(`The script ended without ${pattern}: ${stdout}${stderr}`);
      }
    },
    /** Sends a signal to every process in the group, as a terminal does. */
    signalAll: (signal: NodeJS.Signals) => process.kill(group, signal),
    /** Whether any process in the group is running. */
    living: () => isAlive(group),
    stop: async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
      await closed;
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** Whether a process is running, on Linux and macOS. A negative number is a process group, which is running if any of its processes is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** An array with this `onRequest` acts on the nth request for the path, but does not respond until you call `release`. */
export function holding(path: string, nth = 1) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let seen = 0;
  const onRequest: OnRequest = async (phase, request) => {
    if (phase !== 'done' || request.path !== path) return;
    seen += 1;
    if (seen !== nth) return;
    reached.resolve();
    await released.promise;
  };
  return { onRequest, reached: reached.promise, release: released.resolve };
}
