import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closingDeadlines, openingDeadlines, seconds } from '../../../lib/core/deadlines.ts';

const NOW = 1_800_000_000_000;

describe('the time of one call', () => {
  it('reserves two seconds to record, three to log out and the margin if the call opens a session', () => {
    expect(openingDeadlines(NOW + 30_000, NOW)).toEqual({
      logout: NOW + 29_250,
      record: NOW + 26_250,
      login: NOW + 24_250,
      openingUntil: NOW / 1000 + 36,
    });
  });

  it('is divided as the comment of open.ts says', () => {
    const comment = readFileSync(new URL('../../../lib/leases/open.ts', import.meta.url), 'utf8').replaceAll(
      /\s+\*?\s*/g,
      ' ',
    );
    const { openingUntil, ...by } = openingDeadlines(NOW, NOW - 30_000);
    for (const name of ['login', 'record', 'logout'] as const) {
      expect(comment).toContain(`by D − ${(NOW - by[name]) / 1000} s (\`by.${name}\`)`);
    }
    expect(comment).toContain(`\`openingUntil\` (D + ${openingUntil - NOW / 1000} s)`);
  });

  it('reserves two seconds to record and the margin if the call closes a session', () => {
    expect(closingDeadlines(NOW + 30_000, NOW)).toEqual({ record: NOW + 29_250, logout: NOW + 27_250 });
  });

  it('is refused with OUT_OF_TIME if the reserves leave nothing', () => {
    const message = (what: string) => `not enough time is left to ${what}. Allow more time.`;
    const opening = { code: 'OUT_OF_TIME', message: message('open a session') };
    expect(() => openingDeadlines(NOW + 5750, NOW)).toThrow(expect.objectContaining(opening));
    expect(openingDeadlines(NOW + 5751, NOW).login).toBe(NOW + 1);
    const closing = { code: 'OUT_OF_TIME', message: message('close a session') };
    expect(() => closingDeadlines(NOW + 2750, NOW)).toThrow(expect.objectContaining(closing));
    expect(closingDeadlines(NOW + 2751, NOW).logout).toBe(NOW + 1);
  });

  it('is rounded down to whole seconds', () => {
    expect([seconds(1999), seconds(2000)]).toEqual([1, 2]);
  });
});
