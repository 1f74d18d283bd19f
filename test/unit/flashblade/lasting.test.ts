import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { arrayAt, JSON_TYPE, reply, startServer } from './servers.ts';

const program = new URL('./child.ts', import.meta.url).pathname;
const answers = [reply(200, '{"username":"pureuser"}', { ...JSON_TYPE, 'x-auth-token': 'uuid' }), reply(200)];

test('a process stays alive while it waits for a response, even on a reused connection, and no longer', async () => {
  const server = await startServer((socket, _, nth) => {
    setTimeout(() => socket.write(answers[nth] ?? ''), 200);
  });
  const args = [program, JSON.stringify(arrayAt(server))];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  const { username, laterMs } = JSON.parse(stdout);
  expect(username).toBe('pureuser');
  // The first timer that could hold it is one of five seconds.
  expect(laterMs).toBeLessThan(4000);
  expect([server.requests.length, server.resumed.length]).toEqual([2, 1]);
});
