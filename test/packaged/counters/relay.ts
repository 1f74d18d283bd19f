/** A TCP relay in front of a stand-in. Counts the connections that a function opens to a service. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Relay = Awaited<ReturnType<typeof startRelay>>;

/** Listens on a free loopback port. Call `to` before the first connection to set the destination. */
export async function startRelay() {
  const open = new Set<Socket>();
  let connections = 0;
  let port = 0;

  const join = (socket: Socket, other: Socket): void => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      open.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    const onward = connect({ port, host: '127.0.0.1', noDelay: true });
    join(socket, onward);
    join(onward, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (url: string): void => {
      port = Number(new URL(url).port);
    },
    /** How many connections there have been so far. */
    connections: () => connections,
    stop: async (): Promise<void> => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
