/** An array that sends any response that a test plans, and records every byte that it receives. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import { createAuthority } from '../../../simulator/certificates.ts';
import { goodLogin, goodLogout, goodRead } from './echoes.ts';

/** The two headers in which tokens belong, as a whole. */
const TOKEN_HEADERS = /^(api-token|x-auth-token): [!-~]+\r\n/gim;

/** `newToken` makes the auth tokens of its sessions. Lives until `stop`. */
export async function startEchoArray(newToken: () => string) {
  const authority = await createAuthority();
  const { certificate: cert, key } = await authority.issue();
  const sockets = new Set<Socket>();
  const opened: string[] = [];
  let heard = '';
  let planned: { readonly path: string; readonly text: (opened: string) => string } | undefined;

  function open(): string {
    opened.push(newToken());
    return opened.at(-1) ?? '';
  }
  function answerTo(request: string): string {
    const [, path = ''] = request.split(' ');
    if (planned !== undefined && path.startsWith(planned.path)) {
      const { text } = planned;
      planned = undefined;
      return text(open());
    }
    if (path === '/api/login') return goodLogin(open());
    return path === '/api/logout' ? goodLogout : goodRead;
  }

  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
    let unread = '';
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      unread += chunk.toString('latin1');
      if (unread.includes('\r\n\r\n')) socket.end(answerTo(unread));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate: authority.certificate,
    /** Auth tokens of all sessions, the newest last. */
    opened: opened as readonly string[],
    /** During `work`, sends this response to the next request for the path. `text` receives an auth token to open a session with. */
    answering: async (path: string, text: (opened: string) => string, work: () => Promise<unknown>): Promise<void> => {
      planned = { path, text };
      try {
        await work();
        if (planned !== undefined) throw new Error(`The array was not asked for ${path}`);
      } finally {
        planned = undefined;
      }
    },
    /** Everything that it received, without the values of the two headers. */
    heard: (): string => heard.replace(TOKEN_HEADERS, '$1: …\r\n'),
    stop: async (): Promise<void> => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
