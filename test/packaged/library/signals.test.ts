/** Programs that use the library and are stopped by a signal at critical moments. */
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { holding, runScript } from '../../kit/script.ts';

async function surroundings(): Promise<Deployment> {
  const d = await deploy({ functions: [] });
  onTestFinished(d.stop);
  d.addArray('fb1');
  return d;
}

function start(env: Readonly<Record<string, string>>) {
  const script = runScript('test/packaged/library/fixtures/program.ts', [], env);
  onTestFinished(script.stop);
  return script;
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a program closes its session when %s stops it during its work',
  async (signal) => {
    const { simulator, items, env } = await surroundings();
    const { child, printed } = start(env);
    await printed(/working/);
    expect(simulator.sessions()).toHaveLength(1);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(simulator.sessions()).toEqual([]);
    const leases = (await items()).filter(({ kind }) => kind === 'lease');
    expect(leases).toMatchObject([{ state: 'CLOSED' }]);
  },
);

it('a program closes its session when a signal stops it during its login', async () => {
  const { onRequest, reached, release } = holding('/api/login');
  const { simulator, aws, env, watchArray } = await surroundings();
  watchArray(onRequest);
  // The array responds to the login once the ledger has the request to end the lease.
  aws.onCall((phase, { action, body }) => {
    if (phase === 'done' && action === 'PutItem' && JSON.stringify(body).includes('endRequested')) release();
  });
  const { child } = start(env);
  await reached;
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  expect(simulator.history).toHaveLength(1);
  expect(simulator.sessions()).toEqual([]);
});
