/** Signals during the verification of a real array. No session may be left, whenever the signal arrives. */
import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../kit/leaks.ts';
import { holding } from '../../kit/script.ts';
import { arrayAndEnvironment, run } from './run.ts';

describe('a run that is interrupted', () => {
  it.each([
    ['SIGINT', 'the first login', '/api/login', 1, 130, '0 of 0', 0],
    ['SIGINT', 'the login of an interaction', '/api/login', 2, 130, '0 of 16', 16],
    ['SIGTERM', 'the login of a state', '/api/login', 4, 143, '0 of 16', 16],
    ['SIGHUP', 'a logout at the end', '/api/logout', 7, 129, '11 of 16', 5],
  ] as const)(
    'by %s during %s leaves no session and no file',
    async (signal, _, path, n, expected, passed, skipped) => {
      const { onRequest, reached, release } = holding(path, n);
      const { simulator, env } = await arrayAndEnvironment({ onRequest });
      const { child, ended, printed } = run(['--array'], env);
      await reached;
      child.kill(signal);
      await printed(new RegExp(`${signal}: closing open sessions`));
      release();
      const { code, stdout, files, all, report, junit } = await ended;
      expect({ code, files, left: simulator.sessions() }).toEqual({ code: expected, files: [], left: [] });
      expect(stdout).toContain(`${passed} interactions passed, ${skipped} skipped`);
      // What was not verified has not failed.
      expect(all).not.toContain('FAILED');
      expect(junit).toContain('failures="0"');
      if (skipped === 16) expect(report).toContain('- Result: **interrupted**');
      expect(simulator.history.length).toBeGreaterThan(0);
      for (const token of tokensOf(simulator)) expect(all).not.toContain(token);
    },
  );
});
