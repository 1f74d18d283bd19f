/** `npm run secret` as people run it: a process of its own, with a pipe and signals. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type OnRequest, startSimulator } from '../../../simulator/index.ts';
import { startAws } from '../../kit/aws/index.ts';
import { tokensIn } from '../../kit/leaks.ts';

vi.setConfig({ testTimeout: 120_000 });

async function start(onRequest: OnRequest = () => {}) {
  const [aws, simulator] = await Promise.all([startAws(), startSimulator({ certificate: 'self-signed', onRequest })]);
  const { port, fingerprint } = simulator;
  const args = ['fb1', '--host', `127.0.0.1:${port}`, '--fingerprint', fingerprint, '--yes'];
  const env = { ...aws.env, AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };
  const child = spawn(process.execPath, [resolve(ROOT, 'scripts/secret.ts'), ...args], { env });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closed;
    await Promise.all([aws.stop(), simulator.stop()]);
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(([stdout, stderr]) => {
    const tokens = [simulator.apiToken, ...simulator.history.map(({ authToken }) => authToken)];
    expect(tokensIn(stdout + stderr, tokens)).toEqual([]);
    return { code: child.exitCode, stdout, stderr };
  });
  return { child, ended, simulator, actions: () => aws.calls.map(({ action }) => action) };
}

test('the API token comes through a pipe', async () => {
  const { child, ended, simulator, actions } = await start();
  child.stdin.end(`${simulator.apiToken}\n`);
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('Written: secret flashblade/fb1, version ');
  expect(actions()).toEqual(['GetSecretValue', 'CreateSecret']);
});

test('Ctrl-C in the middle of the login closes the session, and nothing is written', async () => {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { child, ended, simulator, actions } = await start(async (phase, { path }) => {
    if (phase !== 'done' || path !== '/api/login') return;
    reached.resolve();
    await released.promise;
  });
  child.stdin.end(simulator.apiToken);
  await reached.promise;
  child.kill('SIGINT');
  await once(child.stderr, 'data');
  released.resolve();
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/^\nSIGINT: ending[\s\S]*\ninterrupted\nNothing was written\.\n$/);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
  expect(actions()).toEqual(['GetSecretValue']);
});

test('a signal ends it while it waits for a pipe', async () => {
  const { child, ended, actions } = await start();
  await expect.poll(actions, { timeout: 50_000 }).toEqual(['GetSecretValue']);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 143, stderr: expect.stringContaining('Nothing was written.') });
  expect(actions()).toEqual(['GetSecretValue']);
});
