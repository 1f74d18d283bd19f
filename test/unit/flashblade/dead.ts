/** Host names with several addresses, and loopback addresses that do not respond to a connection, as if its first packet were lost. Linux only. */
import dns from 'node:dns';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished, vi } from 'vitest';

/** The server's thread is blocked, so that it accepts nothing. Its queue has room for two. Later, it relays to the same port of 127.0.0.1. */
const SERVER = `
  const { parentPort, workerData: { host, port, lock, forMs } } = require('node:worker_threads');
  const { connect, createServer } = require('node:net');
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
  });
  server.listen({ host, port, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(lock, 0, 0, forMs);
  });
`;

/** For this time, or until the test ends, nothing that connects to this port of the address gets a response. */
export async function deadAt(host: string, port: number, forMs?: number): Promise<void> {
  const lock = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SERVER, { eval: true, workerData: { host, port, lock, forMs } });
  onTestFinished(() => worker.terminate().then(() => {}));
  await once(worker, 'message');
  const fillers = [0, 1].map(() => connect({ host, port }).on('error', () => {}));
  onTestFinished(() => {
    for (const socket of fillers) socket.destroy();
  });
  await Promise.all(fillers.map((socket) => once(socket, 'connect')));
}

const DEAD = ['127.0.0.2', '127.0.0.3'];

/** Until the test ends, every host name has these addresses. At this port of 127.0.0.2 and 127.0.0.3, nothing responds. */
export async function resolveTo(addresses: readonly string[], port: number): Promise<void> {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const lookup = vi
    .spyOn(dns, 'lookup')
    .mockImplementation(((_host: string, _options: object, done: (...all: unknown[]) => void) =>
      process.nextTick(done, null, found)) as never);
  onTestFinished(() => lookup.mockRestore());
  for (const address of DEAD) if (addresses.includes(address)) await deadAt(address, port);
}
