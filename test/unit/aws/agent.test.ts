/** Connections to AWS endpoints that have several addresses. The SDK, the sockets and TLS are real. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AWS_CLIENT_OPTIONS, callAws } from '../../../lib/aws/client.ts';
import { resolveTo } from '../flashblade/dead.ts';
import { failureOf } from '../flashblade/failures.ts';
import { authority } from '../flashblade/servers.ts';

const HOST = 'secretsmanager.example.com';
const certificate = await authority.issue({ names: [HOST], addresses: [] });

/** Secrets Manager with these addresses. It responds at 127.0.0.1; 127.0.0.2 and 127.0.0.3 are dead; 127.0.0.9 and ::1 refuse. */
async function endpoint(addresses: readonly string[], delayMs = 0) {
  const connections: string[] = [];
  const server = createServer({ cert: certificate.certificate, key: certificate.key }, (request, response) => {
    request.resume();
    setTimeout(() => response.end('{"SecretList":[]}'), delayMs);
  });
  server.on('secureConnection', ({ alpnProtocol }) => connections.push(String(alpnProtocol)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await resolveTo(addresses, port);
  const { httpsAgent } = AWS_CLIENT_OPTIONS.requestHandler;
  httpsAgent.options.ca = authority.certificate;
  onTestFinished(() => {
    httpsAgent.options.ca = undefined;
    httpsAgent.destroy();
  });
  const client = new SecretsManagerClient({
    ...AWS_CLIENT_OPTIONS,
    region: 'eu-central-1',
    endpoint: `https://${HOST}:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const list = () =>
    callAws((options) => client.send(new ListSecretsCommand({}), options), {
      what: 'list the secrets',
      by: Date.now() + 60_000,
    });
  return { list, client, connections, httpsAgent, port };
}

describe.runIf(process.platform === 'linux')('an AWS endpoint with several addresses', () => {
  test.for([
    [['127.0.0.1', '127.0.0.2']],
    [['127.0.0.2', '127.0.0.1']],
    [['127.0.0.2', '127.0.0.3', '127.0.0.1']],
    [['127.0.0.9', '127.0.0.2', '127.0.0.1']],
    [['127.0.0.2', '127.0.0.9', '127.0.0.1']],
    [['::1', '127.0.0.1']],
  ])('responds at one of them, on the first try: %j', async ([addresses = []]) => {
    const { list, connections } = await endpoint(addresses);
    expect(await list()).toMatchObject({ SecretList: [], $metadata: { attempts: 1 } });
    expect(await list()).toMatchObject({ SecretList: [] });
    // The second call uses the connection of the first.
    expect(connections).toHaveLength(1);
  });

  test('is dead: the message says what became of each address, and nothing is left', async () => {
    const { list, httpsAgent } = await endpoint(['127.0.0.2', '127.0.0.9']);
    const { message } = await failureOf(list());
    expect(message).toContain(
      `could not list the secrets: no response from AWS within 2000 ms (${HOST}: 127.0.0.2 did not respond, 127.0.0.9 refused the connection). Try again.`,
    );
    await vi.waitFor(() => expect(Object.values(httpsAgent.sockets).flat()).toEqual([]), { timeout: 2000 });
    expect(process.getActiveResourcesInfo()).not.toContain('TCPConnectWrap');
  });

  test('is refused by all addresses: the message says so, without waiting', async () => {
    const { list } = await endpoint(['127.0.0.9', '::1']);
    const startedAt = performance.now();
    const { message } = await failureOf(list());
    expect(performance.now() - startedAt).toBeLessThan(1900);
    expect(message).toContain(`(${HOST}: 127.0.0.9 refused the connection, ::1 refused the connection)`);
  });
});

test('a message about AWS does not mention the addresses of an earlier failure', async () => {
  const { message } = await failureOf(
    callAws(() => Promise.reject(Object.assign(new Error(), { name: 'AbortError' })), {
      what: 'ask',
      by: Date.now() + 9000,
    }),
  );
  expect(message).toContain('no response from AWS within 2000 ms. Try again.');
});

test('a burst of requests uses at most 50 connections, and all are answered', async () => {
  const { list, connections, httpsAgent } = await endpoint(['127.0.0.1', '::1'], 20);
  let most = 0;
  const poll = setInterval(() => {
    most = Math.max(most, ...Object.values(httpsAgent.sockets).map((sockets) => sockets?.length ?? 0));
  });
  await Promise.all(Array.from({ length: 120 }, list));
  clearInterval(poll);
  expect(connections.length).toBeLessThanOrEqual(50);
  expect(most).toBeLessThanOrEqual(50);
});

test('a connection that nobody waits for any longer is used for the next request or closed', async () => {
  const { client, list, httpsAgent } = await endpoint(['127.0.0.1']);
  const gone = client.send(new ListSecretsCommand({}), { abortSignal: AbortSignal.timeout(0) });
  await expect(gone).rejects.toMatchObject({ name: 'AbortError' });
  await list();
  client.destroy();
  await vi.waitFor(() => expect([httpsAgent.sockets, httpsAgent.requests]).toMatchObject([{}, {}]));
});
