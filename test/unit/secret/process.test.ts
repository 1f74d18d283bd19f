/** `npm run secret` in its own process, with a pipe and signals. */
import { once } from 'node:events';
import { devNull } from 'node:os';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type OnRequest, startSimulator } from '../../../simulator/index.ts';
import { startAws } from '../../kit/aws/index.ts';
import { tokensIn, tokensOf } from '../../kit/leaks.ts';
import { holding, runScript } from '../../kit/script.ts';

vi.setConfig({ testTimeout: 120_000 });

async function start(onRequest: OnRequest = () => {}) {
  const [aws, simulator] = await Promise.all([startAws(), startSimulator({ certificate: 'self-signed', onRequest })]);
  const { port, fingerprint } = simulator;
  const args = ['fb1', '--host', `127.0.0.1:${port}`, '--fingerprint', fingerprint, '--yes'];
  const env = { ...aws.env, AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };
  const { child, stop, ...script } = runScript('scripts/secret.ts', args, env);
  onTestFinished(async () => {
    await stop();
    await Promise.all([aws.stop(), simulator.stop()]);
  });
  const ended = script.ended.then((outcome) => {
    expect(tokensIn(outcome.stdout + outcome.stderr, tokensOf(simulator))).toEqual([]);
    return outcome;
  });
  return { child, ended, simulator, actions: () => aws.calls.map(({ action }) => action) };
}

test('the command reads the API token from a pipe', async () => {
  const { child, ended, simulator, actions } = await start();
  child.stdin.end(`${simulator.apiToken}\n`);
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('Written: secret flashblade/fb1, version ');
  expect(actions()).toEqual(['GetSecretValue', 'CreateSecret']);
});

test('Ctrl-C during the login closes the session and writes nothing', async () => {
  const { onRequest, reached, release } = holding('/api/login');
  const { child, ended, simulator, actions } = await start(onRequest);
  child.stdin.end(simulator.apiToken);
  await reached;
  child.kill('SIGINT');
  await once(child.stderr, 'data');
  release();
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/^\nSIGINT: stopping[\s\S]*\ninterrupted\nNothing was written\.\n$/);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
  expect(actions()).toEqual(['GetSecretValue']);
});

test('a signal ends the command while it waits for a pipe', async () => {
  const { child, ended, actions } = await start();
  await expect.poll(actions, { timeout: 50_000 }).toEqual(['GetSecretValue']);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 143, stderr: expect.stringContaining('Nothing was written.') });
  expect(actions()).toEqual(['GetSecretValue']);
});
