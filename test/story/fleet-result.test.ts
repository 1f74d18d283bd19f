import { describe, expect, it } from 'vitest';
import type { ArrayReport } from '../../lib/story/check-array.ts';
import { MAX_RESULT_BYTES, resultOf } from '../../lib/story/fleet-result.ts';

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const report = (n: number, length: number, warnings: string[] = []): ArrayReport => ({
  array: `array-${n}`.padEnd(64, 'x'),
  fault: { code: 'SECRET_UNAVAILABLE', reason: 'é'.repeat(length) },
  warnings,
});
const many = (count: number, length: number, warnings?: string[]) =>
  Array.from({ length: count }, (_, n) => report(n, length, warnings));

describe('the result of a check', () => {
  it('sums up', () => {
    const well = { array: 'fb1', warnings: ['a', 'b'], unknownSessions: 2 };
    const ill = { array: 'fb2', fault: { code: 'ARRAY_BUSY', reason: 'busy' }, warnings: [], unknownSessions: 1 };
    expect(resultOf([well, ill])).toEqual({
      checked: 2,
      healthy: 1,
      unhealthy: [{ array: 'fb2', code: 'ARRAY_BUSY', reason: 'busy' }],
      warnings: [
        { array: 'fb1', warning: 'a' },
        { array: 'fb1', warning: 'b' },
      ],
      unknownSessions: 3,
    });
  });

  it('names 1,000 arrays that are down, with shorter reasons, within what a state bears', () => {
    const result = resultOf(many(1000, 2000));
    expect(result.unhealthy).toHaveLength(1000);
    expect(result).not.toHaveProperty('omitted');
    expect(bytes(result)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(result.unhealthy[0]?.reason).toMatch(/^é+…$/);
  });

  it('keeps reasons as long as there is room', () => {
    expect(resultOf(many(10, 300)).unhealthy[0]?.reason).toHaveLength(300);
  });

  it('is cut to no less than there is room for, to the byte', () => {
    const whole = resultOf([report(1, 400)]);
    expect(resultOf([report(1, 400)], bytes(whole))).toEqual(whole);
    const cut = resultOf([report(1, 400)], bytes(whole) - 1);
    expect(cut.unhealthy[0]?.reason).toBe(`${'é'.repeat(199)}…`);
    expect(resultOf([report(1, 200)], bytes(cut)).unhealthy[0]?.reason).toBe('é'.repeat(200));
  });

  it('leaves out no line for which there is room, to the byte', () => {
    const reports = many(4, 50, ['w'.repeat(50)]);
    const line = bytes(reports[0]?.fault) + bytes(reports[0]?.array) + ',"array":'.length + 1;
    const whole = bytes(resultOf(reports));
    const kept = (max: number) => {
      const { unhealthy, warnings, omitted } = resultOf(reports, max);
      return [unhealthy.length, warnings.length, omitted];
    };
    expect(kept(whole - 1)).toEqual([4, 3, 1]);
    const empty = bytes({ ...resultOf([]), checked: 4, omitted: 8 });
    expect([kept(empty + line - 1), kept(empty + line)]).toEqual([
      [0, 0, 8],
      [1, 0, 7],
    ]);
  });

  it('leaves out lines, warnings first, and says how many, when even that is too large', () => {
    const result = resultOf(many(1000, 2000, ['w'.repeat(100), 'w'.repeat(100)]));
    expect(bytes(result)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(bytes(result)).toBeGreaterThan(MAX_RESULT_BYTES - 1000);
    expect(result.unhealthy).toHaveLength(1000);
    expect(result.omitted).toBe(2000 - result.warnings.length);
    const huge = resultOf(many(5000, 50, ['w']));
    expect(bytes(huge)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(huge).toMatchObject({ checked: 5000, healthy: 0, warnings: [] });
    expect(huge.omitted).toBe(10_000 - huge.unhealthy.length);
  });
});
