import { expect, it } from 'vitest';
import { report } from '../../../lib/lambda/metrics.ts';
import { written } from '../../kit/lambda/written.ts';

it('a report is one log line with the level of its event', () => {
  const { lines } = written();
  report({
    event: 'LoginSucceeded',
    array: 'fb1',
    leaseId: 'job-1',
    status: 200,
    durationMs: 12,
    message: 'logged in',
  });
  report({ event: 'LoginFailed', array: 'fb1', code: 'ARRAY_BUSY', message: 'busy' });
  report({ event: 'LeaseStuck', array: 'fb1', message: 'stuck' });
  expect(lines()).toEqual([
    {
      ...{ level: 'info', event: 'LoginSucceeded', array: 'fb1', leaseId: 'job-1' },
      ...{ status: 200, durationMs: 12, message: 'logged in' },
    },
    { level: 'warn', event: 'LoginFailed', array: 'fb1', code: 'ARRAY_BUSY', message: 'busy' },
    { level: 'error', event: 'LeaseStuck', array: 'fb1', message: 'stuck' },
  ]);
});

it('a log line contains each gauge under its name', () => {
  const { lines } = written();
  report({ event: 'SweepDone', gauges: { LiveLeases: 3, OldestDueAge: 9 }, message: 'swept' });
  expect(lines()).toEqual([expect.objectContaining({ event: 'SweepDone', LiveLeases: 3, OldestDueAge: 9 })]);
  expect(lines()[0]).not.toHaveProperty('gauges');
});

it('a failure at an array is published for the fleet and for the array', () => {
  const { metrics } = written();
  report({ event: 'LoginFailed', array: 'fb1', message: 'refused' });
  expect(metrics()).toEqual([expect.stringMatching(/^LoginFailed 1 Count \{service=\S+; service=\S+ array=fb1\}$/)]);
});

it('metrics with different dimensions are published separately', () => {
  const { metrics } = written();
  report({ event: 'ArrayUnhealthy', array: 'fb1', gauges: { ArrayHealthy: 0, CertificateDays: 12 }, message: 'down' });
  expect(metrics()).toEqual([
    expect.stringMatching(/^ArrayUnhealthy 1 Count \{service=\S+; service=\S+ array=fb1\}$/),
    expect.stringMatching(/^CertificateDays 12 None \{service=\S+; service=\S+ array=fb1\}$/),
    expect.stringMatching(/^ArrayHealthy 0 Count \{service=\S+ array=fb1\}$/),
  ]);
});
