/** Programs that use the library and are stopped by a signal at critical moments. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';

async function surroundings(): Promise<Deployment> {
  const d = await deploy({ functions: [] });
  onTestFinished(d.stop);
  d.addArray('fb1');
  return d;
}

function start(env: Readonly<Record<string, string>>): ChildProcess {
  const program = resolve(ROOT, 'test/packaged/library/fixtures/program.ts');
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function printed(child: ChildProcess, text: string): Promise<void> {
  let output = '';
  for await (const chunk of child.stdout ?? []) {
    output += chunk;
    if (output.includes(text)) return;
  }
  throw new Error(`the program ended without printing ${text}`);
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a program closes its session when %s stops it during its work',
  async (signal) => {
    const { simulator, items, env } = await surroundings();
    const child = start(env);
    await printed(child, 'working');
    expect(simulator.sessions()).toHaveLength(1);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(simulator.sessions()).toEqual([]);
    const leases = (await items()).filter(({ kind }) => kind === 'lease');
    expect(leases).toMatchObject([{ state: 'CLOSED' }]);
  },
);

it('a program closes its session when a signal stops it during its login', async () => {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const { simulator, aws, env, watchArray } = await surroundings();
  watchArray(async (phase, { path }) => {
    if (phase !== 'done' || path !== '/api/login') return;
    reached.resolve();
    await released.promise;
  });
  // The array responds to the login once the ledger has the request to end the lease.
  aws.onCall((phase, { action, body }) => {
    if (phase === 'done' && action === 'PutItem' && JSON.stringify(body).includes('endRequested')) released.resolve();
  });
  const child = start(env);
  await reached.promise;
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  expect(simulator.history).toHaveLength(1);
  expect(simulator.sessions()).toEqual([]);
});
