import { describe, expect, it } from 'vitest';
import { METRICS, publicationsOf } from '../../../lib/lambda/metrics.ts';

const message = 'a message';

describe('the metrics of a report', () => {
  it('count a success, and measure its duration, for the fleet only', () => {
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

  it('omit a duration if the report has none or the event has no such metric', () => {
    const names = (event: 'LoginSucceeded' | 'LoginFailed', durationMs?: number) =>
      publicationsOf({ event, durationMs, message }).flatMap(({ metrics }) => metrics.map(({ name }) => name));
    expect(names('LoginSucceeded')).toEqual(['LoginSucceeded']);
    expect(names('LoginSucceeded', 3)).toEqual(['LoginSucceeded', 'LoginDuration']);
    expect(names('LoginFailed', 3)).toEqual(['LoginFailed']);
  });

  it('count a failure also per array if the report is about an array', () => {
    const metrics = [{ name: 'LogoutFailed', unit: 'Count', value: 1 }];
    expect(publicationsOf({ event: 'LogoutFailed', array: 'fb1', message })).toEqual([
      { scopes: ['fleet', 'array'], metrics },
    ]);
    expect(publicationsOf({ event: 'LogoutFailed', message })).toEqual([{ scopes: ['fleet'], metrics }]);
  });

  it('do not count events that only carry the gauges of an array', () => {
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
    for (const event of ['ArrayChecked', 'ArrayNotChecked', 'ArrayRemoved'] as const) {
      expect(publicationsOf({ event, array: 'fb1', message })).toEqual([]);
    }
  });

  it('contain the gauges of a fleet report for the fleet', () => {
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

  it('contain the remaining days both per array and for the fleet, where alarms watch the minimum', () => {
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

it('every metric is an event, a duration or a gauge, and events that only carry gauges are no metrics', () => {
  expect(METRICS.get('LoginDuration')).toEqual({ kind: 'duration', unit: 'Milliseconds', where: 'fleet' });
  expect(METRICS.get('LoginSucceeded')).toEqual({ kind: 'event', unit: 'Count', where: 'fleet' });
  expect(METRICS.get('UnknownSessions')).toEqual({ kind: 'gauge', unit: 'Count', where: 'each' });
  expect(METRICS.get('ClosedBySweep')).toEqual({ kind: 'gauge', unit: 'Count', where: 'fleet' });
  expect([METRICS.has('ArrayCounted'), METRICS.has('SecretsIgnored'), METRICS.has('FleetChecked')]).toEqual([
    false,
    false,
    true,
  ]);
});
