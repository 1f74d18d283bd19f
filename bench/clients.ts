/** The clients to measure. Each client loads only what it needs. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createSecureContext, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import type { Trust } from '../lib/core/model.ts';

export const API_TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const HOST = '127.0.0.1';

export type Client = {
  /** Logs in to the array on this port, then logs out. Rejects unless both succeed. */
  readonly cycle: (port: number) => Promise<void>;
  /** Closes the connections, but keeps TLS sessions so that later connections can resume them. */
  readonly close: () => void;
};

/**
 * `ca` is the PEM certificate of the authority that issued the arrays' certificate. `fingerprint` is the SHA-256 fingerprint of the arrays'
 * certificate.
 */
export type Identity = { readonly ca: string; readonly fingerprint: string };

export const CLIENTS = {
  'raw node:tls': async ({ ca }: Identity) => rawClient(ca, true),
  'raw node:tls, never resumed': async ({ ca }: Identity) => rawClient(ca, false),
  'this library': ({ ca }: Identity) => libraryClient({ kind: 'ca', ca }),
  'this library, fingerprint': ({ fingerprint }: Identity) =>
    libraryClient({ kind: 'fingerprints', fingerprints: [fingerprint] }),
  'undici dispatch': ({ ca }: Identity) => undiciClient(ca),
  'node:https': ({ ca }: Identity) => httpsClient(ca),
  'global fetch': async ({ ca }: Identity) => fetchClient(ca),
} satisfies Readonly<Record<string, (identity: Identity) => Promise<Client>>>;

export type ClientName = keyof typeof CLIENTS;

/** The baseline. It writes requests to a TLS socket, shares one SecureContext, and checks only the status. */
export function rawClient(ca: string, resume: boolean): Client {
  type Wire = { readonly socket: TLSSocket; unread: string; waiting: PromiseWithResolvers<string> };
  const secureContext = createSecureContext({ ca, minVersion: 'TLSv1.2' });
  const sessions = new Map<number, Buffer>();
  const wires = new Map<number, Wire>();
  const header = (response: string, name: string): string =>
    new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(response)?.[1] ?? '';

  async function open(port: number): Promise<Wire> {
    const session = sessions.get(port);
    const socket = connect({ host: HOST, port, secureContext, ...(session === undefined ? {} : { session }) });
    const wire: Wire = { socket, unread: '', waiting: Promise.withResolvers() };
    if (resume) socket.on('session', (next) => sessions.set(port, next));
    socket.on('data', (chunk) => read(wire, chunk.toString('latin1')));
    await once(socket, 'secureConnect');
    socket.on('error', (error) => wire.waiting.reject(error));
    wires.set(port, wire);
    return wire;
  }

  function read(wire: Wire, text: string): void {
    wire.unread += text;
    const end = wire.unread.indexOf('\r\n\r\n') + 4;
    if (end < 4 || wire.unread.length < end + Number(header(wire.unread, 'content-length'))) return;
    const response = wire.unread;
    wire.unread = '';
    if (response.startsWith('HTTP/1.1 200 ')) wire.waiting.resolve(response);
    else wire.waiting.reject(new Error(`the array responded with ${response.slice(0, 12)}`));
  }

  function post(wire: Wire, path: string, line: string): Promise<string> {
    wire.waiting = Promise.withResolvers();
    wire.socket.write(`POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${line}\r\nContent-Length: 0\r\n\r\n`);
    return wire.waiting.promise;
  }

  return {
    cycle: async (port) => {
      const wire = wires.get(port) ?? (await open(port));
      const login = await post(wire, '/api/login', `api-token: ${API_TOKEN}`);
      await post(wire, '/api/logout', `x-auth-token: ${header(login, 'x-auth-token')}`);
    },
    close: () => {
      for (const { socket } of wires.values()) socket.destroy();
      wires.clear();
    },
  };
}

/** Uses this project's client, with all its checks. */
async function libraryClient(trust: Trust): Promise<Client> {
  const { apiToken } = await import('../lib/core/model.ts');
  const { loginWithHttpInfo, logoutWithHttpInfo } = await import('../lib/flashblade/client.ts');
  const { closeConnections } = await import('../lib/flashblade/pool.ts');
  const token = apiToken(API_TOKEN);
  return {
    cycle: async (port) => {
      const { data: session } = await loginWithHttpInfo({ name: `fb${port}`, host: HOST, port, trust }, token);
      await logoutWithHttpInfo(session);
    },
    close: closeConnections,
  };
}

/** Sends a POST request with one additional header and no body. */
type Post = (port: number, path: string, name: string, value: string) => Promise<Received>;
type Received = { readonly status: number; readonly token: string; readonly body: string };

function clientOf(post: Post, close: () => void): Client {
  const successful = async (sent: Promise<Received>): Promise<Received> => {
    const response = await sent;
    if (response.status !== 200) throw new Error(`the array responded with ${response.status}`);
    return response;
  };
  const cycle = async (port: number): Promise<void> => {
    const { token, body } = await successful(post(port, '/api/login', 'api-token', API_TOKEN));
    JSON.parse(body);
    await successful(post(port, '/api/logout', 'x-auth-token', token));
  };
  return { cycle, close };
}

/** Uses undici's lowest-level interface, `dispatch`, with one Client per array. */
async function undiciClient(ca: string): Promise<Client> {
  const undici = await import('undici');
  const connections = new Map<number, InstanceType<typeof undici.Client>>();
  const post: Post = (port, path, name, value) => {
    const connection = connections.get(port) ?? new undici.Client(`https://${HOST}:${port}`, { connect: { ca } });
    connections.set(port, connection);
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    let [status, token, body] = [0, '', ''];
    connection.dispatch(
      { method: 'POST', path, headers: [name, value] },
      {
        onRequestStart: () => {},
        onResponseStart: (_, code, headers) => {
          [status, token] = [code, String(headers['x-auth-token'])];
        },
        onResponseData: (_, chunk) => {
          body += chunk.toString();
        },
        onResponseEnd: () => resolve({ status, token, body }),
        onResponseError: (_, error) => reject(error),
      },
    );
    return promise;
  };
  return clientOf(post, () => {
    for (const connection of connections.values()) void connection.destroy();
    connections.clear();
  });
}

/** Uses node:https as documented, with one keep-alive Agent and the authority passed with every request. */
async function httpsClient(ca: string): Promise<Client> {
  const { Agent, request } = await import('node:https');
  const { text } = await import('node:stream/consumers');
  let agent = new Agent({ keepAlive: true });
  const post: Post = async (port, path, name, value) => {
    const headers = { [name]: value, 'Content-Length': 0 };
    const sent = request({ agent, ca, host: HOST, port, method: 'POST', path, headers });
    const responded = once(sent, 'response') as Promise<[IncomingMessage]>;
    sent.end();
    const [response] = await responded;
    const token = String(response.headers['x-auth-token']);
    return { status: response.statusCode ?? 0, token, body: await text(response) };
  };
  return clientOf(post, () => {
    agent.destroy();
    agent = new Agent({ keepAlive: true });
  });
}

/** Uses the global fetch, whose connections cannot be closed. */
function fetchClient(ca: string): Client {
  setDefaultCACertificates([ca]);
  const post: Post = async (port, path, name, value) => {
    const response = await fetch(`https://${HOST}:${port}${path}`, { method: 'POST', headers: { [name]: value } });
    const token = response.headers.get('x-auth-token') ?? '';
    return { status: response.status, token, body: await response.text() };
  };
  return clientOf(post, () => {});
}
