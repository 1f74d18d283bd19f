/** The real ports, built from a configuration: each setting reaches its port. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClosingPorts, createPorts } from '../../lib/compose.ts';
import { type Config, readConfig } from '../../lib/core/config.ts';
import { apiToken, authToken } from '../../lib/core/model.ts';
import type { Report } from '../../lib/core/reports.ts';
import { createFleet, type FleetOptions } from '../../lib/create-fleet.ts';
import { fleetOf } from '../../lib/fleet-of.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { awsWithClients } from '../kit/aws/clients.ts';
import { LEASE_TABLE } from '../kit/lease-table.ts';
import { patience } from './aws/patience.ts';
import { failureOf } from './flashblade/failures.ts';
import { arrayAt, startServer } from './flashblade/servers.ts';
import { simulated } from './flashblade/simulated.ts';

const CONFIG = readConfig({ LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases' });
patience();

const soon = () => ({ by: Date.now() + 60_000 });

function built(changes: Partial<Config> = {}): { ports: Ports; reports: Report[] } {
  const reports: Report[] = [];
  return { ports: createPorts({ ...CONFIG, ...changes }, (line) => void reports.push(line)), reports };
}

it('a session uses the table, the key and the secret prefix of the configuration', async () => {
  const { aws } = await awsWithClients();
  const { simulator, array, token } = await simulated();
  await aws.dynamodb.createTable(LEASE_TABLE, 'my-leases');
  const trust = array.trust.kind === 'ca' ? { ca: array.trust.ca } : {};
  aws.secrets.put('my/fb1', { host: `${array.host}:${array.port}`, apiToken: token.reveal(), trust });
  const LEASE_KEY = aws.kms.createKey().arn;
  const { ports, reports } = built({ LEASE_TABLE: 'my-leases', LEASE_KEY, SECRET_PREFIX: 'my/' });
  const sessions = await fleetOf(ports).withSession('fb1', () => simulator.sessions().length);
  expect([sessions, simulator.sessions().length]).toEqual([1, 0]);
  expect(reports.map(({ event }) => event)).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
});

describe('the configured timeouts', () => {
  const token = authToken('auth-1');
  const calls = (ports: Ports, array: ReturnType<typeof arrayAt>) => {
    const session = { array, authToken: token, username: 'pureuser' };
    return [
      () => ports.flashblade.login(array, apiToken('T-1'), {}),
      () => ports.flashblade.logout(session, {}),
      () => ports.flashblade.apiVersions(array, {}),
      () => ports.flashblade.request(session, { method: 'POST', path: '/api/2.4/file-systems' }, {}),
    ];
  };
  const slow = { CONNECT_TIMEOUT_MS: 60_000, FIRST_BYTE_TIMEOUT_MS: 60_000, ANSWER_TIMEOUT_MS: 60_000 };

  it.each([
    ['the first byte', { FIRST_BYTE_TIMEOUT_MS: 20 }, /the response did not begin in time/],
    [
      'the whole response',
      { ANSWER_TIMEOUT_MS: 100 },
      /the connection was not established in time|the response did not begin in time/,
    ],
    ['the connection', { CONNECT_TIMEOUT_MS: 0 }, /the connection was not established in time/],
  ])('limit %s of every call of an array', async (_, limits, reason) => {
    const server = await startServer(() => {});
    const array = arrayAt(server);
    const { ports } = built({ ...slow, ...limits });
    const failures = await Promise.all(calls(ports, array).map((call) => failureOf(call())));
    for (const { code, message } of failures) {
      expect(code).toBe('ARRAY_UNREACHABLE');
      expect(message).toMatch(reason);
    }
  });
});

describe('a cached secret', () => {
  it('is used and reported while Secrets Manager is unavailable', async () => {
    const { aws } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', { host: 'fb1.example.com', apiToken: 'T-1' });
    const { ports, reports } = built({ SECRET_CACHE_SECONDS: 0 });
    const before = await ports.secrets.read('fb1', soon());
    for (let n = 0; n < 3; n++) aws.faults.add({ service: 'secretsmanager', kind: 'deny' });
    expect(await ports.secrets.read('fb1', soon())).toBe(before);
    expect(reports).toMatchObject([{ event: 'StaleSecretServed', array: 'fb1' }]);
  });
});

it('a reporter that throws does not make its caller fail', () => {
  const ports = createClosingPorts(CONFIG, () => {
    throw new Error('planned by the test');
  });
  expect(() => ports.report({ event: 'LeaseServed', message: 'served' })).not.toThrow();
});

describe('createFleet', () => {
  it('takes each option from its variable unless the program gives it, and names the one that is wrong', () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const name of ['LEASE_TABLE', 'LEASE_KEY']) vi.stubEnv(name, '');
    const failure = (options: FleetOptions) => {
      try {
        createFleet(options);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(failure({ key: 'alias/leases' })).toMatch(/^option table or environment variable LEASE_TABLE must be set/);
    expect(failure({ table: 'leases', key: 'alias/leases' })).toBeUndefined();
    vi.stubEnv('LEASE_TABLE', 'leases');
    expect(failure({ key: 'alias/leases' })).toBeUndefined();
    expect(failure({ key: 'alias/leases', limits: { sessionsPerArray: 0 } })).toMatch(
      /^option limits.sessionsPerArray must be a whole number from 1 to 500/,
    );
    expect(failure({ key: 'alias/leases', tabel: 'x' } as FleetOptions)).toMatch(
      /^options has an unknown option tabel/,
    );
  });

  it('reports warnings and errors as JSON lines on stderr by default', async () => {
    const { aws } = await awsWithClients();
    await aws.dynamodb.createTable(LEASE_TABLE, 'leases');
    aws.secrets.put('flashblade/fb1', { host: '127.0.0.1:1', apiToken: 'T-1' });
    const key = aws.kms.createKey().arn;
    const lines: string[] = [];
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    onTestFinished(() => stderr.mockRestore());
    const fleet = createFleet({ table: 'leases', key });
    await expect(fleet.open('fb1', { leaseId: 'job-1' })).rejects.toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      facts: { array: 'fb1', leaseId: 'job-1', phase: 'open', requestId: expect.any(String) },
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', event: 'LoginFailed', array: 'fb1', code: 'ARRAY_UNREACHABLE' },
    ]);
  });

  it('two fleets in one program use their own region, table and key', async () => {
    const { aws } = await awsWithClients();
    const { simulator, array, token } = await simulated();
    const trust = array.trust.kind === 'ca' ? { ca: array.trust.ca } : {};
    aws.secrets.put('flashblade/fb1', { host: `${array.host}:${array.port}`, apiToken: token.reveal(), trust });
    const key = aws.kms.createKey().arn;
    for (const table of ['one', 'two']) await aws.dynamodb.createTable(LEASE_TABLE, table);
    const regions = ['eu-central-1', 'us-east-1'];
    const fleets = ['one', 'two'].map((table, n) => createFleet({ table, key, aws: { region: regions[n] } }));
    for (const fleet of fleets) await fleet.withSession('fb1', () => {});
    expect(simulator.sessions()).toEqual([]);
    expect(simulator.history).toHaveLength(2);
  });
});
