import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { deploy } from '../kit/deploy.ts';
import { PACKAGED } from '../kit/packaged.ts';

const servers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;

test('a deployment whose zips are missing does not start, and leaves no server behind', async () => {
  const packaged = await mkdtemp(join(tmpdir(), 'flashblade-deploy-'));
  onTestFinished(() => rm(packaged, { recursive: true }));
  const template = 'cloudformation-template-update-stack.json';
  await copyFile(join(PACKAGED, template), join(packaged, template));
  const before = servers();
  await expect(deploy({ packaged })).rejects.toThrow('login.zip');
  await vi.waitFor(() => expect(servers()).toBe(before));
  // The control: the same deployment without functions starts and has servers until it stops.
  const d = await deploy({ packaged, functions: [] });
  expect(servers()).toBeGreaterThan(before);
  await d.stop();
  await vi.waitFor(() => expect(servers()).toBe(before));
});

test('a function that is not deployed is refused by its name', async () => {
  const d = await deploy({ functions: ['login'] });
  onTestFinished(d.stop);
  await expect(d.invoke('renew', {})).rejects.toThrow('This deployment has no renew');
});

test('another simulated array has its own secret, and its tokens are searched for', async () => {
  const d = await deploy({ functions: ['login'] });
  onTestFinished(d.stop);
  const another = await d.startArray('fb2');
  expect(await d.login({ array: 'fb2', leaseId: 'job' })).toMatchObject({ result: { array: 'fb2' } });
  expect([d.simulator.history.length, another.history.length]).toEqual([0, 1]);
  const [session] = another.sessions();
  expect(await d.leaks()).toEqual([]);
  expect(await d.leaks({ here: another.apiToken, there: session?.authToken ?? '' })).toEqual(['here', 'there']);
});
