import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { FlashBlade } from '../../../lib/core/model.ts';
import { selfSigned } from '../../../simulator/certificates.ts';
import { arrayAt, JSON_TYPE, listen, reply, type Script, startServer } from './servers.ts';

const run = promisify(execFile);
const child = new URL('./child.ts', import.meta.url).pathname;
const LOGGED_IN = reply(200, '{"username":"pureuser"}', { ...JSON_TYPE, 'x-auth-token': 'uuid' });
const answers: Script = (socket, _, nth) => socket.write(nth === 0 ? LOGGED_IN : reply(200));

const loginIn = async (env: Record<string, string>, array: FlashBlade): Promise<unknown> =>
  JSON.parse((await run(process.execPath, [child, JSON.stringify(array)], { env: { ...process.env, ...env } })).stdout);

test('no environment variable sends a token through a proxy', async () => {
  const seen: unknown[] = [];
  const { port } = await listen(createServer((socket) => seen.push(socket.destroy())));
  const proxy = `http://127.0.0.1:${port}`;
  const server = await startServer(answers);
  const env = {
    NODE_USE_ENV_PROXY: '1',
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    ALL_PROXY: proxy,
    NO_PROXY: '',
  };
  expect(await loginIn(env, arrayAt(server))).toMatchObject({ username: 'pureuser' });
  expect([server.requests.length, seen.length]).toEqual([2, 0]);
});

test('no environment variable turns verification off', async () => {
  const server = await startServer(answers, await selfSigned());
  const outcome = await loginIn({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, arrayAt(server));
  expect(outcome).toMatchObject({ code: 'ARRAY_UNTRUSTED' });
  expect(server.received()).toBe(0);
});
