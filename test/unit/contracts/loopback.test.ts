/** The servers between the verifier and the array, tested with direct requests. */
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { startGateway } from '../../../contracts/verification/gateway.ts';
import { startLoopback } from '../../../contracts/verification/loopback.ts';
import { mask } from '../../../contracts/verification/mask.ts';
import { startStateServer } from '../../../contracts/verification/state-server.ts';
import { simulated } from './providers.ts';

async function stateServer() {
  const server = await startStateServer(simulatorTarget(await simulated()), () => {});
  onTestFinished(() => server.stop());
  const ask = (wish: unknown, url = server.url) =>
    fetch(url, { method: 'POST', body: typeof wish === 'string' ? wish : JSON.stringify(wish) });
  return { server, ask };
}

it('the state server returns 422, never 5xx, for a state that it cannot arrange, and 404 for an unknown path', async () => {
  const { server, ask } = await stateServer();
  const known = { state: 'the API token is not known', action: 'setup' };
  expect((await ask(known)).status).toBe(200);
  expect((await ask({ state: '', action: 'setup' })).status).toBe(200);
  expect((await ask({ ...known, action: 'teardown' })).status).toBe(200);
  for (const wish of [
    { state: 'x', action: 'setup' },
    { state: 'a session of a user who may list is open' },
    'no JSON',
    'null',
    '',
  ]) {
    const { status } = await ask(wish);
    expect([200, 422]).toContain(status);
    if (wish !== 'null') expect(status).toBe(422);
  }
  expect((await ask(known, new URL('/', server.url).href)).status).toBe(404);
});

it('the gateway forwards method, path, query, headers and body to the array, and returns its response', async () => {
  const simulator = await simulated();
  const failures: string[] = [];
  const current = () => ({ interaction: '', states: [], values: {} });
  const onFailure = (_: string, error: unknown) => failures.push((error as Error).message);
  const gateway = await startGateway(simulatorTarget(simulator), { current, onFailure });
  onTestFinished(() => gateway.stop());
  const response = await fetch(`${gateway.url}/api/2.0/arrays?limit=1`, {
    method: 'POST',
    headers: { 'x-auth-token': 'x', 'x-own': '1' },
    body: '{"a":1}',
  });
  const body = await response.text();
  expect([response.status, response.headers.get('server'), body]).toEqual([
    403,
    'nginx',
    expect.stringContaining('Access Denied'),
  ]);
  const [request] = simulator.requests;
  expect(request).toMatchObject({ method: 'POST', path: '/api/2.0/arrays', query: 'limit=1', bodyBytes: 7 });
  expect(request?.headerNames).toEqual(expect.arrayContaining(['x-own', 'x-auth-token']));
  expect(request?.requestId).toMatch(/^contract-verification-/);

  await simulator.stop();
  expect((await fetch(`${gateway.url}/api/login`, { method: 'POST', headers: { 'api-token': 'T-1' } })).status).toBe(
    502,
  );
  expect(failures).toEqual([expect.stringContaining('cannot be reached')]);
});

it('a request that arrives while a server stops is not handled, because a login in it would leave a session open', async () => {
  const handled: string[] = [];
  const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const server = await startLoopback(async ({ url = '' }, _, response) => {
    handled.push(url);
    begun.resolve();
    await released.promise;
    response.end();
  });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
  const send = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  send('/first');
  await begun.promise;
  const stopped = server.stop();
  send('/second');
  await setTimeout(100);
  released.resolve();
  await stopped;
  expect(handled).toEqual(['/first']);
});

it.each([
  ['in its plain form', 'Expected "T-secret" but', 'Expected "[token]" but'],
  ['in its JSON spelling', String.raw`a \"quoted\\ one`, 'a [token] one'],
  ['in a URL', '/x?t=%22quoted%5C', '/x?t=[token]'],
  ['if it only looks like a token', 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789!', '[token]!'],
  ['if another token begins with it', 'T-secret-longer', '[token]'],
])('a token is masked %s', (_, text, masked) => {
  expect(mask(text, ['', 'T-secret', '"quoted\\', 'T-secret-longer'])).toBe(masked);
});
