/** Plain HTTP on loopback between the verifier and us. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type LoopbackServer = {
  readonly url: string;
  /** Resolves when every request was answered and no connection is left. */
  readonly stop: () => Promise<void>;
};

/** Starts a server whose requests are handled one by one; `handle` must not reject. */
export async function startLoopback(
  handle: (request: IncomingMessage, body: string, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const pending = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const work = bodyOf(request).then((body) => (body === undefined ? undefined : handle(request, body, response)));
    pending.add(work);
    void work.finally(() => pending.delete(work));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      await Promise.all(pending);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Undefined if the client went away. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}
