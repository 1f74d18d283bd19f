/** What operators rely on: the metrics of the packaged functions, and the AWS calls of a session. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { METRICS } from '../../../lib/lambda/metrics.ts';
import { randomApiToken } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { tableRows } from '../../kit/pages.ts';
import { FIELDS, OF_ERROR, RUNBOOK } from '../infra/runbook.ts';
import { linesOf, metricLinesOf, metricsOf } from './logs.ts';

const DAY_MS = 86_400_000;
const SERVICE = 'flashblade-sessions-dev';
const DEPLOYED = ['login', 'logout', 'sweep-sessions', 'check-fleet'] as const;

let d: Deployment;
const outputOf = (name: FunctionName): string => d.lambdaOf(name).output;

beforeAll(async () => {
  const users = [{ username: 'pureuser', apiToken: randomApiToken(), expiresAt: Date.now() + 20 * DAY_MS }];
  d = await deploy({ functions: DEPLOYED, array: { users } });
});

afterAll(async () => {
  expect(await d.leaks()).toEqual([]);
  await d.stop();
});

/** The metrics that a function wrote. Durations and days have `N` instead of their number. */
const metrics = (output: string): string[] =>
  metricLinesOf(output)
    .flatMap(metricsOf)
    .map((metric) => metric.replace(/ \d+ (Milliseconds|None)/, ' N $1'));

const SCOPES = { fleet: ['fleet'], array: ['array'], each: ['fleet', 'array'], all: ['fleet', 'array'] } as const;
const DIMENSIONS = { fleet: 'service', array: 'service,array' };

/** Metrics that the code declares, as `<name> <unit> <dimensions>`: all, or those of one kind. */
const declared = (kind?: 'duration' | 'gauge'): string[] =>
  [...METRICS]
    .filter(([, metric]) => kind === undefined || metric.kind === kind)
    .flatMap(([name, { unit, where }]) => SCOPES[where].map((scope) => `${name} ${unit} ${DIMENSIONS[scope]}`));

/** The metrics that were written, in the same form. */
const written = (output: string): string[] =>
  metricLinesOf(output)
    .flatMap((line) => line._aws?.CloudWatchMetrics ?? [])
    .flatMap(({ Metrics, Dimensions }) =>
      Metrics.flatMap(({ Name, Unit }) => Dimensions.map((names) => `${Name} ${Unit} ${names.join()}`)),
    );

describe('metrics', () => {
  beforeAll(async () => {
    d.addArray('fb1');
    resultOf(await d.login({ array: 'fb1', leaseId: 'counted' }));
    d.addArray('refusing', { apiToken: randomApiToken() });
    expect(errorOf(await d.login({ array: 'refusing', leaseId: 'refused' })).errorType).toBe('LOGIN_REFUSED');
    await d.invoke('sweep-sessions', {});
    await d.invoke('check-fleet', {});
    resultOf(await d.logout({ leaseId: 'counted' }));
  });

  test('count successes for the fleet, and failures for the fleet and the array', () => {
    const fleet = `{service=${SERVICE}}`;
    const both = `{service=${SERVICE}; service=${SERVICE} array=refusing}`;
    expect(metrics(outputOf('login'))).toEqual([
      `FlashBladeSessions LoginSucceeded 1 Count ${fleet}`,
      `FlashBladeSessions LoginDuration N Milliseconds ${fleet}`,
      `FlashBladeSessions LoginFailed 1 Count ${both}`,
      `FlashBladeSessions InvocationFailed 1 Count ${both}`,
    ]);
    expect(metrics(outputOf('logout'))).toEqual([
      `FlashBladeSessions LogoutSucceeded 1 Count ${fleet}`,
      `FlashBladeSessions LogoutDuration N Milliseconds ${fleet}`,
    ]);
  });

  test('of a sweep count live leases once for the fleet and once for each array', () => {
    const written = metrics(outputOf('sweep-sessions'));
    expect(written.filter((metric) => metric.includes('LiveLeases')).sort()).toEqual([
      `FlashBladeSessions LiveLeases 0 Count {service=${SERVICE} array=refusing}`,
      `FlashBladeSessions LiveLeases 1 Count {service=${SERVICE} array=fb1}`,
      `FlashBladeSessions LiveLeases 1 Count {service=${SERVICE}}`,
    ]);
    expect(written).toContain(`FlashBladeSessions SweepDone 1 Count {service=${SERVICE}}`);
    expect(written.join()).not.toContain('ArrayCounted');
  });

  test('of a fleet check have the remaining days for the fleet and for each array', () => {
    const both = `{service=${SERVICE}; service=${SERVICE} array=fb1}`;
    expect(metrics(outputOf('check-fleet'))).toEqual(
      expect.arrayContaining([
        `FlashBladeSessions CertificateDays N None ${both}`,
        `FlashBladeSessions ApiTokenDays N None ${both}`,
        `FlashBladeSessions ArrayHealthy 1 Count {service=${SERVICE} array=fb1}`,
        `FlashBladeSessions UnhealthyArrays 1 Count {service=${SERVICE}}`,
      ]),
    );
  });

  test('are declared in the code, and every declared gauge and duration is written', () => {
    const all = written(DEPLOYED.map(outputOf).join(''));
    expect(declared()).toEqual(expect.arrayContaining(all));
    expect(all).toEqual(expect.arrayContaining([...declared('gauge'), ...declared('duration')]));
  });

  test('without a dimension or a number are detected as broken', () => {
    const [line] = metricLinesOf(outputOf('login'));
    expect(() => metricsOf({ ...line, service: undefined })).toThrow('dimension service');
    expect(() => metricsOf({ ...line, LoginSucceeded: undefined })).toThrow('metric LoginSucceeded');
    expect(() => metricsOf({ ...line, _aws: undefined as never })).toThrow('Timestamp');
  });
});

test('a session makes the AWS calls that the runbook lists, if its process and its secret are warm', async () => {
  d.addArray('warm');
  resultOf(await d.login({ array: 'warm', leaseId: 'first' }));
  const counted = async (work: () => Promise<unknown>): Promise<Map<string, number>> => {
    const before = d.aws.calls.length;
    await work();
    const calls = d.aws.calls.slice(before).map(({ service, action }) => `\`${service}:${action}\``);
    return new Map([...Map.groupBy(calls, (call) => call)].map(([call, all]) => [call, all.length]));
  };
  const login = await counted(() => d.login({ array: 'warm', leaseId: 'second' }));
  const logout = await counted(() => d.logout({ leaseId: 'second' }));
  const names = [...new Set([...login.keys(), ...logout.keys()])];
  const table = names.map((name) => [name, String(login.get(name) ?? 0), String(logout.get(name) ?? 0)]);
  expect(tableRows('call', RUNBOOK).sort()).toEqual(table.sort());
  resultOf(await d.logout({ leaseId: 'first' }));
});

test('log lines have the fields that the runbook queries use', () => {
  const lines = linesOf(outputOf('login'));
  const [line = {}] = lines.filter(({ message }) => Object(message).event === 'LoginSucceeded');
  const fields = [...Object.keys(line), ...Object.keys(Object(line['message'])).map((field) => `message.${field}`)];
  const elsewhere = ['message.owner', 'message.eventId', 'message.code', ...OF_ERROR];
  expect(fields).toEqual(expect.arrayContaining(FIELDS.filter((field) => !elsewhere.includes(field))));
});
