/** The real edges, built from a configuration: what of it reaches which edge. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Config, readConfig } from '../../lib/ground/config.ts';
import { apiToken, authToken } from '../../lib/ground/model.ts';
import type { Report } from '../../lib/ground/reports.ts';
import { closingEdgesOf, type Edges, edgesOf } from '../../lib/story/edges.ts';
import { withSession } from '../../lib/story/use-session.ts';
import { awsWithClients } from '../aws/clients.ts';
import { failureOf } from '../client/failures.ts';
import { arrayAt, startServer } from '../client/servers.ts';
import { simulated } from '../client/simulated.ts';
import { patience } from '../edges/patience.ts';
import { leaseTable } from '../packaged.ts';

const CONFIG = readConfig({ LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases' });
patience();

const soon = () => ({ by: Date.now() + 60_000 });

function built(changes: Partial<Config> = {}): { edges: Edges; reports: Report[] } {
  const reports: Report[] = [];
  return { edges: edgesOf({ ...CONFIG, ...changes }, (line) => void reports.push(line)), reports };
}

it('a session is opened and closed by table, key and secret of the configuration', async () => {
  const { aws } = await awsWithClients();
  const { simulator, array, token } = await simulated();
  await aws.dynamodb.createTable(leaseTable(), 'my-leases');
  const trust = array.trust.kind === 'ca' ? { ca: array.trust.ca } : {};
  aws.secrets.put('my/fb1', { host: `${array.host}:${array.port}`, apiToken: token.reveal(), trust });
  const LEASE_KEY = aws.kms.createKey().arn;
  const { edges, reports } = built({ LEASE_TABLE: 'my-leases', LEASE_KEY, SECRET_PREFIX: 'my/' });
  const sessions = await withSession('fb1', () => simulator.sessions().length, { edges });
  expect([sessions, simulator.sessions().length]).toEqual([1, 0]);
  expect(reports.map(({ event }) => event)).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
});

describe('the time-outs of the configuration', () => {
  const token = authToken('auth-1');
  const calls = (edges: Edges, array: ReturnType<typeof arrayAt>) => {
    const session = { array, authToken: token, username: 'pureuser' };
    return [
      () => edges.flashblade.login(array, apiToken('T-1'), {}),
      () => edges.flashblade.logout(session, {}),
      () => edges.flashblade.apiVersions(array, {}),
      () => edges.flashblade.request(session, { method: 'POST', path: '/api/2.4/file-systems' }, {}),
    ];
  };
  const slow = { CONNECT_TIMEOUT_MS: 60_000, FIRST_BYTE_TIMEOUT_MS: 60_000, ANSWER_TIMEOUT_MS: 60_000 };

  it.each([
    ['the first byte', { FIRST_BYTE_TIMEOUT_MS: 20 }, /no answer began in time/],
    ['the whole answer', { ANSWER_TIMEOUT_MS: 100 }, /no (connection|answer began) in time/],
    ['the connection', { CONNECT_TIMEOUT_MS: 0 }, /no connection in time/],
  ])('bound %s of every call of an array', async (_, limits, reason) => {
    const server = await startServer(() => {});
    const array = arrayAt(server);
    const { edges } = built({ ...slow, ...limits });
    const failures = await Promise.all(calls(edges, array).map((call) => failureOf(call())));
    for (const { code, message } of failures) {
      expect(code).toBe('ARRAY_UNREACHABLE');
      expect(message).toMatch(reason);
    }
  });
});

describe('a secret that was read before', () => {
  it('serves while Secrets Manager does not answer, and that is reported', async () => {
    const { aws } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', { host: 'fb1.example.com', apiToken: 'T-1' });
    const { edges, reports } = built({ SECRET_CACHE_SECONDS: 0 });
    const before = await edges.secrets.read('fb1', soon());
    for (let n = 0; n < 3; n++) aws.faults.add({ service: 'secretsmanager', kind: 'deny' });
    expect(await edges.secrets.read('fb1', soon())).toBe(before);
    expect(reports).toMatchObject([{ event: 'StaleSecretServed', array: 'fb1' }]);
  });
});

it("a report that fails is nobody else's failure", () => {
  const edges = closingEdgesOf(CONFIG, () => {
    throw new Error('as the test wants it');
  });
  expect(() => edges.report({ event: 'LeaseServed', message: 'served' })).not.toThrow();
});

describe('the edges of this process', () => {
  it('are built once, by its environment, and report what is wrong on stderr, one JSON line each', async () => {
    // A process of its own, as far as modules go; the next test is in yet another.
    vi.resetModules();
    onTestFinished(() => void vi.resetModules());
    const { environmentEdges } = await import('../../lib/story/edges.ts');
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('LEASE_TABLE', '');
    expect(environmentEdges).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    const environment = { LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases', SESSIONS_PER_ARRAY: '3' };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const edges = environmentEdges();
    expect(edges.limits.sessionsPerArray).toBe(3);
    expect(environmentEdges()).toBe(edges);

    const lines: string[] = [];
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    onTestFinished(() => stderr.mockRestore());
    edges.report({ event: 'LoginSucceeded', message: 'logged in' });
    edges.report({ event: 'LoginFailed', array: 'fb1', message: 'refused' });
    edges.report({ event: 'LeaseStuck', array: 'fb1', message: 'stuck' });
    expect(lines.map((line) => line.at(-1))).toEqual(['\n', '\n']);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 'warn', event: 'LoginFailed', array: 'fb1', message: 'refused' },
      { level: 'error', event: 'LeaseStuck', array: 'fb1', message: 'stuck' },
    ]);
  });
});
