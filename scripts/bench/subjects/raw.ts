/** The floor: requests written by hand to a TLS socket of Node's, one shared SecureContext, and no check but the status. */
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { Client, Place } from './client.ts';

type Wire = { readonly socket: TLSSocket; unread: string; waiting: PromiseWithResolvers<string> };

/** `resume`: whether a new connection takes up the TLS session of the one before. */
export function rawClient({ host, ca, apiToken }: Place, { resume }: { resume: boolean }): Client {
  const secureContext = createSecureContext({ ca, minVersion: 'TLSv1.2' });
  const sessions = new Map<number, Buffer>();
  const wires = new Map<number, Wire>();

  function open(port: number): Promise<Wire> {
    const session = sessions.get(port);
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, secureContext, ...(session === undefined ? {} : { session }) }, () => {
        wires.set(port, wire);
        resolve(wire);
      });
      const wire: Wire = { socket, unread: '', waiting: Promise.withResolvers() };
      if (resume) socket.on('session', (next) => sessions.set(port, next));
      socket.on('data', (chunk) => read(wire, chunk));
      socket.on('error', (error) => {
        reject(error);
        wire.waiting.reject(error);
      });
    });
  }

  const ask = (wire: Wire, path: string, header: string): Promise<string> => {
    wire.waiting = Promise.withResolvers();
    wire.socket.write(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${header}\r\nContent-Length: 0\r\n\r\n`);
    return wire.waiting.promise;
  };

  return {
    cycle: async (port) => {
      const wire = wires.get(port) ?? (await open(port));
      const login = await ask(wire, '/api/login', `api-token: ${apiToken}`);
      await ask(wire, '/api/logout', `x-auth-token: ${headerOf(login, 'x-auth-token')}`);
    },
    close: () => {
      for (const { socket } of wires.values()) socket.destroy();
      wires.clear();
    },
  };
}

function read(wire: Wire, chunk: Buffer): void {
  wire.unread += chunk.toString('latin1');
  const end = wire.unread.indexOf('\r\n\r\n') + 4;
  if (end < 4 || wire.unread.length < end + Number(headerOf(wire.unread, 'content-length'))) return;
  const { unread: answer, waiting } = wire;
  wire.unread = '';
  if (answer.startsWith('HTTP/1.1 200 ')) waiting.resolve(answer);
  else waiting.reject(new Error(`the array answered ${answer.slice(0, 12)}`));
}

function headerOf(answer: string, name: string): string {
  const [, value = ''] = new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(answer) ?? [];
  return value;
}
