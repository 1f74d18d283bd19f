/** The packaged check-fleet function under AWS's runtime client, with arrays of every kind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import type { FleetResult } from '../../../lib/fleet/check.ts';
import { apiToken, login } from '../../../lib/index.ts';
import { randomApiToken, type Simulator } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { eventsOf, metricLinesOf, metricsOf } from './logs.ts';
import { unknownSessions } from './unknown-sessions.ts';

const DAY_MS = 86_400_000;

let d: Deployment;

beforeAll(async () => {
  d = await deploy({ functions: ['login', 'check-fleet'] });
});

afterAll(async () => {
  closeConnections();
  await d.stop();
});

/** An array with a session that was opened without the ledger, ten minutes ago by the array's clock. */
async function leaky(name: string): Promise<Simulator> {
  let shiftMs = -600_000;
  const users = [{ username: 'pureuser', apiToken: randomApiToken(), expiresAt: Date.now() + 5.5 * DAY_MS }];
  const simulator = await d.startArray(name, { now: () => Date.now() + shiftMs, users });
  const { host, port, certificate: ca } = simulator;
  await login({ name, host, port, trust: { kind: 'ca', ca } }, apiToken(simulator.apiToken));
  shiftMs = 0;
  return simulator;
}

const checkFleet = (event: unknown) => d.invoke('check-fleet', event);

describe('check-fleet', () => {
  let result: FleetResult;
  let mute: Simulator;
  let leaking: Simulator;

  beforeAll(async () => {
    d.addArray('good');
    d.addArray('down', { host: '127.0.0.1:1' });
    d.addArray('untrusted', { trust: { fingerprints: ['0'.repeat(64)] } });
    d.addArray('refused', { apiToken: randomApiToken() });
    mute = await d.startArray('mute');
    mute.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout' });
    leaking = await leaky('leaking');
    await d.login({ array: 'good', leaseId: 'in-use' });
    result = resultOf<FleetResult>(await checkFleet({}));
  });

  test('reports each unhealthy array with its error code, and warns about the others', () => {
    expect(result).toMatchObject({ checked: 6, healthy: 2, unknownSessions: 1 });
    const faults = result.unhealthy.map(({ array, code }) => [array, code]);
    expect(faults).toEqual([
      ['down', 'ARRAY_UNREACHABLE'],
      ['mute', 'ARRAY_BUSY'],
      ['refused', 'LOGIN_REFUSED'],
      ['untrusted', 'ARRAY_UNTRUSTED'],
    ]);
    const warnings = result.warnings.filter(({ array }) => array === 'leaking').map(({ warning }) => warning);
    expect(warnings).toEqual([
      expect.stringMatching(/^the array's certificate, or a CA certificate in its chain, expires in 29 days/),
      expect.stringMatching(/^the API token for user pureuser expires in 5 days/),
      expect.stringMatching(/^1 active REST session for user pureuser/),
    ]);
  });

  test('leaves no session that is missing from the ledger', async () => {
    expect(leaking.sessions().map(({ startedAt }) => startedAt < Date.now() - 500_000)).toEqual([true]);
    expect(d.simulator.sessions()).toHaveLength(1);
    expect(await unknownSessions(d)).toEqual([]);
    const [left] = (await d.items()).filter(({ state }) => state === 'CLOSING');
    expect(left).toMatchObject({ target: { name: 'mute' }, attemptId: mute.sessions()[0]?.requestId });
  });

  test('sends metrics for each array to CloudWatch', () => {
    const { output } = d.lambdaOf('check-fleet');
    expect(eventsOf(output, 'ArrayUnhealthy').map((line) => line['array'])).toHaveLength(4);
    const metrics = metricLinesOf(output).flatMap(metricsOf);
    expect(metrics).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^FlashBladeSessions ArrayHealthy 1 Count .*array=good/),
        expect.stringMatching(/^FlashBladeSessions ArrayHealthy 0 Count .*array=untrusted/),
        expect.stringMatching(/^FlashBladeSessions CertificateDays 29 None .*array=good/),
        expect.stringMatching(/^FlashBladeSessions ApiTokenDays 5 None .*array=leaking/),
        expect.stringMatching(/^FlashBladeSessions UnknownSessions 1 Count .*array=leaking/),
        expect.stringMatching(/^FlashBladeSessions UnhealthyArrays 4 Count {service=\S+}$/),
      ]),
    );
  });

  test('checks only the named arrays, and refuses unknown fields', async () => {
    const requests = leaking.requests.length;
    expect(resultOf(await checkFleet({ arrays: ['good'] }))).toMatchObject({ checked: 1, healthy: 1 });
    expect(leaking.requests).toHaveLength(requests);
    expect(errorOf(await checkFleet({ fleet: ['good'] })).errorType).toBe('REQUEST_INVALID');
  });

  test('writes and returns no token', async () => {
    expect(d.tokens().length).toBeGreaterThan(6);
    expect(await d.leaks()).toEqual([]);
  });
});
