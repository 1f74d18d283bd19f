import { describe, expect, it } from 'vitest';
import { closingDeadlines, openingDeadlines, seconds } from '../../lib/ground/time.ts';

const NOW = 1_800_000_000_000;

describe('the time of a call', () => {
  it('that opens leaves three seconds to log out again, two to record and the margin', () => {
    expect(openingDeadlines(NOW + 30_000, NOW)).toEqual({
      logout: NOW + 29_250,
      record: NOW + 26_250,
      login: NOW + 24_250,
      openingUntil: NOW / 1000 + 36,
    });
  });

  it('that closes leaves two seconds to record and the margin', () => {
    expect(closingDeadlines(NOW + 30_000, NOW)).toEqual({ record: NOW + 29_250, logout: NOW + 27_250 });
  });

  it('is too little if nothing would be left, and then nothing is begun', () => {
    const message = (what: string) =>
      `too little time is left to ${what}: nothing was begun; give the function more time`;
    const opening = { code: 'OUT_OF_TIME', message: message('open a session') };
    expect(() => openingDeadlines(NOW + 5750, NOW)).toThrow(expect.objectContaining(opening));
    expect(openingDeadlines(NOW + 5751, NOW).login).toBe(NOW + 1);
    const closing = { code: 'OUT_OF_TIME', message: message('close a session') };
    expect(() => closingDeadlines(NOW + 2750, NOW)).toThrow(expect.objectContaining(closing));
    expect(closingDeadlines(NOW + 2751, NOW).logout).toBe(NOW + 1);
  });

  it('is told in whole seconds that have passed', () => {
    expect([seconds(1999), seconds(2000)]).toEqual([1, 2]);
  });
});
