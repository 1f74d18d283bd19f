import { describe, expect, it } from 'vitest';
import type { ArrayReport } from '../../../lib/fleet/check-array.ts';
import { bounded, merge, summarize as summarizeAll } from '../../../lib/fleet/result.ts';
import { MAX_RESULT_BYTES } from '../../../lib/leases/requests.ts';

const summarize = (reports: readonly ArrayReport[], maxBytes?: number) => bounded(summarizeAll(reports), maxBytes);
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const report = (n: number, length: number, warnings: string[] = []): ArrayReport => ({
  array: `array-${n}`.padEnd(64, 'x'),
  state: 'unhealthy',
  failure: { code: 'ARRAY_UNREACHABLE', reason: 'é'.repeat(length) },
  warnings,
});
const many = (count: number, length: number, warnings?: string[]) =>
  Array.from({ length: count }, (_, n) => report(n, length, warnings));

describe('the result of a fleet check', () => {
  it('the result counts arrays and unknown sessions, and lists faults and warnings', () => {
    const well: ArrayReport = { array: 'fb1', state: 'healthy', warnings: ['a', 'b'], unknownSessions: 2 };
    const failure = { code: 'ARRAY_BUSY', reason: 'busy' } as const;
    const ill: ArrayReport = { array: 'fb2', state: 'unhealthy', failure, warnings: [], unknownSessions: 1 };
    expect(summarize([well, ill])).toEqual({
      checked: 2,
      healthy: 1,
      notChecked: 0,
      unhealthy: [{ array: 'fb2', code: 'ARRAY_BUSY', reason: 'busy' }],
      warnings: [
        { array: 'fb1', warning: 'a' },
        { array: 'fb1', warning: 'b' },
      ],
      unknownSessions: 3,
    });
  });

  it('a text is cut to 400 characters, and a shorter one is whole', () => {
    const texts = (length: number) => {
      const { unhealthy, warnings } = summarize([report(1, length, ['w'.repeat(length)])]);
      return [unhealthy[0]?.reason, warnings[0]?.warning];
    };
    expect(texts(400)).toEqual(['é'.repeat(400), 'w'.repeat(400)]);
    expect(texts(401)).toEqual([`${'é'.repeat(399)}…`, `${'w'.repeat(399)}…`]);
  });

  it('the result names 1,000 arrays that are down with typical reasons, and fits into a state', () => {
    const result = summarize(many(1000, 60));
    expect(result.unhealthy).toHaveLength(1000);
    expect(result).not.toHaveProperty('omitted');
    expect(bytes(result)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
  });

  it('nothing is omitted from a result that just fits', () => {
    const reports = [report(1, 100, ['w'])];
    const whole = summarize(reports);
    expect(summarize(reports, bytes(whole))).toEqual(whole);
    expect(whole).not.toHaveProperty('omitted');
    expect(summarize(reports, bytes(whole) - 1)).toMatchObject({ warnings: [], omitted: 1 });
  });

  it('no line is omitted that would fit', () => {
    const reports = many(4, 50, ['w'.repeat(50)]);
    const line = bytes(reports[0]?.failure) + bytes(reports[0]?.array) + ',"array":'.length + 1;
    const whole = bytes(summarize(reports));
    const kept = (max: number) => {
      const { unhealthy, warnings, omitted } = summarize(reports, max);
      return [unhealthy.length, warnings.length, omitted];
    };
    expect(kept(whole - 1)).toEqual([4, 3, 1]);
    const empty = bytes({ ...summarize([]), checked: 4, omitted: 8 });
    expect([kept(empty + line - 1), kept(empty + line)]).toEqual([
      [0, 0, 8],
      [1, 0, 7],
    ]);
  });

  it('lines that do not fit are omitted from the end, warnings first, and counted', () => {
    const warnings = many(1000, 50, ['w'.repeat(100), 'w'.repeat(100)]);
    const result = summarize(warnings);
    expect(bytes(result)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(bytes(result)).toBeGreaterThan(MAX_RESULT_BYTES - 1000);
    expect(result.unhealthy).toHaveLength(1000);
    expect(result.warnings).not.toEqual([]);
    expect(result.omitted).toBe(2000 - result.warnings.length);
    const huge = summarize(many(5000, 50, ['w']));
    expect(bytes(huge)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(huge).toMatchObject({ checked: 5000, healthy: 0, warnings: [] });
    expect(huge.unhealthy).toEqual(summarize(many(5000, 50)).unhealthy.slice(0, huge.unhealthy.length));
    expect(huge.omitted).toBe(10_000 - huge.unhealthy.length);
  });

  it('long reasons are cut before lines are omitted', () => {
    const result = summarize(many(1000, 2000));
    expect(bytes(result)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(result.unhealthy.length).toBeGreaterThan(250);
    expect(result.omitted).toBe(1000 - result.unhealthy.length);
    expect(result.unhealthy.every(({ reason }) => reason === `${'é'.repeat(399)}…`)).toBe(true);
  });

  it('merged results add up, and what an earlier result omitted stays counted', () => {
    const first = summarize(many(3, 50, ['w']), 500);
    const second = { ...summarizeAll([report(9, 5)], 7), unknownSessions: 2 };
    const merged = merge([first, second, summarizeAll([], 4)]);
    expect(first.omitted).toBeGreaterThan(0);
    expect(merged).toEqual({
      checked: 4,
      healthy: 0,
      notChecked: 11,
      unhealthy: [...first.unhealthy, ...second.unhealthy],
      warnings: first.warnings,
      unknownSessions: 2,
      omitted: first.omitted,
    });
    const lines = merged.unhealthy.length + merged.warnings.length;
    const small = bounded(merged, 300);
    expect(bytes(small)).toBeLessThanOrEqual(300);
    expect(small.omitted).toBe((first.omitted ?? 0) + lines - small.unhealthy.length - small.warnings.length);
    expect(merge([])).toEqual(summarizeAll([]));
  });
});
