import { describe, expect, it } from 'vitest';
import { METRICS, publicationsOf } from '../../lib/lambda/metrics.ts';

const message = 'as the test wants it';

describe('the metrics of a report', () => {
  it('count what goes well for the fleet only, and how long it took', () => {
    expect(publicationsOf({ event: 'LogoutSucceeded', array: 'fb1', durationMs: 15, message })).toEqual([
      {
        scopes: ['fleet'],
        metrics: [
          { name: 'LogoutSucceeded', unit: 'Count', value: 1 },
          { name: 'LogoutDuration', unit: 'Milliseconds', value: 15 },
        ],
      },
    ]);
  });

  it('leave out a duration that is not told, and one of an event that has none', () => {
    const names = (event: 'LoginSucceeded' | 'LoginFailed', durationMs?: number) =>
      publicationsOf({ event, durationMs, message }).flatMap(({ metrics }) => metrics.map(({ name }) => name));
    expect(names('LoginSucceeded')).toEqual(['LoginSucceeded']);
    expect(names('LoginSucceeded', 3)).toEqual(['LoginSucceeded', 'LoginDuration']);
    expect(names('LoginFailed', 3)).toEqual(['LoginFailed']);
  });

  it('count what goes wrong per array, too, if it is of one', () => {
    const metrics = [{ name: 'LogoutFailed', unit: 'Count', value: 1 }];
    expect(publicationsOf({ event: 'LogoutFailed', array: 'fb1', message })).toEqual([
      { scopes: ['fleet', 'array'], metrics },
    ]);
    expect(publicationsOf({ event: 'LogoutFailed', message })).toEqual([{ scopes: ['fleet'], metrics }]);
  });

  it('do not count the lines that bring the gauges of an array', () => {
    const gauges = { LiveLeases: 2, StuckLeases: 0 };
    expect(publicationsOf({ event: 'ArrayCounted', array: 'fb1', gauges, message })).toEqual([
      {
        scopes: ['array'],
        metrics: [
          { name: 'LiveLeases', unit: 'Count', value: 2 },
          { name: 'StuckLeases', unit: 'Count', value: 0 },
        ],
      },
    ]);
    expect(publicationsOf({ event: 'ArrayChecked', array: 'fb1', message })).toEqual([]);
  });

  it('tell the gauges of the fleet under the fleet', () => {
    const gauges = { LiveLeases: 2, OldestDueAge: 40, HealthyArrays: 1 };
    expect(publicationsOf({ event: 'SweepDone', gauges, message })).toEqual([
      {
        scopes: ['fleet'],
        metrics: [
          { name: 'SweepDone', unit: 'Count', value: 1 },
          { name: 'LiveLeases', unit: 'Count', value: 2 },
          { name: 'OldestDueAge', unit: 'Seconds', value: 40 },
          { name: 'HealthyArrays', unit: 'Count', value: 1 },
        ],
      },
    ]);
  });

  it('tell the days that are left both per array and for the fleet, where the lowest counts', () => {
    const gauges = { ArrayHealthy: 1, CertificateDays: 20, ApiTokenDays: 9 };
    expect(publicationsOf({ event: 'ArrayChecked', array: 'fb1', gauges, message })).toEqual([
      { scopes: ['array'], metrics: [{ name: 'ArrayHealthy', unit: 'Count', value: 1 }] },
      {
        scopes: ['fleet', 'array'],
        metrics: [
          { name: 'CertificateDays', unit: 'None', value: 20 },
          { name: 'ApiTokenDays', unit: 'None', value: 9 },
        ],
      },
    ]);
  });
});

it('every metric is of an event, a duration or a gauge, and those that bring gauges are none', () => {
  expect(METRICS.get('LoginDuration')).toEqual({ kind: 'duration', unit: 'Milliseconds', where: 'fleet' });
  expect(METRICS.get('LoginSucceeded')).toEqual({ kind: 'event', unit: 'Count', where: 'fleet' });
  expect(METRICS.get('UnknownSessions')).toEqual({ kind: 'gauge', unit: 'Count', where: 'each' });
  expect(METRICS.get('ClosedBySweep')).toEqual({ kind: 'gauge', unit: 'Count', where: 'fleet' });
  expect([METRICS.has('ArrayCounted'), METRICS.has('ArrayChecked'), METRICS.has('FleetChecked')]).toEqual([
    false,
    false,
    true,
  ]);
});
