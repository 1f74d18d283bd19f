/** Arrays whose name has several addresses, some of which are dead. Sockets are real; for every order, see core/connect-tcp.test.ts. */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { openSockets } from '../../../lib/flashblade/tls.ts';
import { runTrust } from '../../../scripts/trust/run.ts';
import { written } from '../trust-command/written.ts';
import { deadAt, resolveTo } from './dead.ts';
import { failureOf } from './failures.ts';
import { arrayAt, authority, listen, reply, startServer } from './servers.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const HOST = 'fb1.example.com';
const certificate = await authority.issue({ names: [HOST], addresses: [] });

/** The array responds at 127.0.0.1; 127.0.0.2 and 127.0.0.3 are dead; 127.0.0.9 and ::1 refuse. */
async function arrayWith(...addresses: readonly string[]) {
  onTestFinished(closeConnections);
  const server = await startServer(reply(200), certificate);
  await resolveTo(addresses, server.port);
  return { array: arrayAt(server, { host: HOST }), server };
}

describe.runIf(process.platform === 'linux')('an array with several addresses', () => {
  test.for([
    ['127.0.0.1', '127.0.0.2'],
    ['127.0.0.2', '127.0.0.1'],
    ['127.0.0.2', '127.0.0.3', '127.0.0.1'],
    ['127.0.0.9', '127.0.0.2', '127.0.0.1'],
    ['127.0.0.2', '127.0.0.9', '127.0.0.1'],
    ['::1', '127.0.0.1'],
  ])('responds at one of them: %s %s %s', async (addresses) => {
    const { array, server } = await arrayWith(...addresses);
    expect(await exchange(array, GET)).toMatchObject({ status: 200 });
    expect([server.resumed.length, openSockets.size]).toEqual([1, 1]);
  });

  // Node itself would give up on both addresses after 250 ms each. The system repeats a lost packet after a second.
  test('responds although a packet was lost and its other address is dead', async () => {
    const { array } = await arrayWith('127.0.0.4', '127.0.0.3');
    await deadAt('127.0.0.4', array.port, 500);
    expect(await exchange(array, GET)).toMatchObject({ status: 200 });
  });

  test('does not respond: the message says what became of each', async () => {
    const { array, server } = await arrayWith('127.0.0.2', '127.0.0.9', '127.0.0.3');
    const error = await failureOf(exchange(array, GET, { connectMs: 300 }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
    expect(error.message.replace(/\d+ ms/, 'n ms')).toBe(
      `array fb1 (${HOST}:${server.port}) cannot be reached: the connection was not established in time (after n ms). ` +
        'Addresses: 127.0.0.2 did not respond, 127.0.0.9 refused the connection, 127.0.0.3 did not respond. Nothing was sent.',
    );
  });

  test('does not finish the TLS handshake: the message says which one accepted the connection', async () => {
    const { port } = await listen(createServer());
    await resolveTo(['127.0.0.2', '127.0.0.1'], port);
    const { message } = await failureOf(exchange(arrayAt({ port }, { host: HOST }), GET, { connectMs: 400 }));
    expect(message).toContain('in time, because the TLS handshake did not finish (after');
    expect(message).toContain(
      'Addresses: 127.0.0.2 did not respond, 127.0.0.1 accepted the connection. Nothing was sent.',
    );
  });

  test('closes every attempt when connections are closed', async () => {
    const { array } = await arrayWith('127.0.0.2', '127.0.0.3');
    const failed = failureOf(exchange(array, GET, { connectMs: 60_000 }, { repeatable: true }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    closeConnections();
    expect((await failed).message).toContain('cannot be reached: the connection was closed');
    expect(openSockets.size).toBe(0);
    await vi.waitFor(() => expect(process.getActiveResourcesInfo()).not.toContain('TCPConnectWrap'));
  });

  test('is shown by npm run trust, or else what became of each address', async () => {
    const { server } = await arrayWith('127.0.0.2', '127.0.0.1');
    const run = async (timeoutMs: number) => {
      const [output, errors] = [written(), written()];
      await runTrust([`${HOST}:${server.port}`], { output, errors }, { timeoutMs });
      return output.text() + errors.text();
    };
    expect(await run(10_000)).toContain('Certificate 1 of 1');
    await resolveTo(['127.0.0.3', '127.0.0.9'], server.port);
    expect(await run(300)).toContain('within 300 ms (127.0.0.3 did not respond, 127.0.0.9 refused the connection)');
  });
});

test('an array of which every address refuses the connection is not waited for', async () => {
  const server = createServer();
  const { port } = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  await resolveTo(['127.0.0.1', '::1'], port);
  const place = arrayAt({ port }, { host: HOST });
  const startedAt = performance.now();
  const { message } = await failureOf(exchange(place, GET));
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(message).toContain('it refuses connections on this port; check that the management service is up');
  expect(message).toContain(
    'Addresses: 127.0.0.1 refused the connection, ::1 refused the connection. Nothing was sent.',
  );
});
