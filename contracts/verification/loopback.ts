/** A plain HTTP server on loopback for the verifier's requests. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type LoopbackServer = {
  readonly url: string;
  /** Handles no further request, and resolves once every request has been handled and every connection is closed. */
  readonly stop: () => Promise<void>;
};

/** Starts a server that calls `handle` for each complete request. `handle` must not reject. */
export async function startLoopback(
  handle: (request: IncomingMessage, body: string, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const pending = new Set<Promise<void>>();
  let isStopping = false;
  const server = createServer((request, response) => {
    const work = bodyOf(request).then((body) =>
      // A request that is handled during `stop` could open a session that is never closed.
      body === undefined || isStopping ? void request.destroy() : handle(request, body, response),
    );
    pending.add(work);
    void work.finally(() => pending.delete(work));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      isStopping = true;
      const closed = once(server, 'close');
      server.close();
      await Promise.all(pending);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the body, or undefined if the client disconnected. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}
