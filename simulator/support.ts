/** Helpers for simulator tests: a plain node:https client, a TLS socket for raw bytes, and a manual clock. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

/** Starts a simulator that stops when the test ends. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.stop());
  return simulator;
}

export type HttpResponse = {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
};

export type Call = { readonly headers?: Record<string, string>; readonly body?: string; readonly agent?: Agent };

/** Sends one request, on a new connection unless you pass an agent. Rejects if the response is incomplete. */
export function call(
  to: Simulator,
  method: string,
  path: string,
  { headers = {}, body, agent }: Call = {},
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, ca: to.certificate, agent: agent ?? false };
    const sent = request(new URL(path, to.url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export const login = (to: Simulator, apiToken = to.apiToken): Promise<HttpResponse> =>
  call(to, 'POST', '/api/login', { headers: { 'api-token': apiToken } });

/** Logs in and returns the auth token. */
export async function authTokenOf(to: Simulator, apiToken?: string): Promise<string> {
  const { headers } = await login(to, apiToken);
  const token = headers['x-auth-token'];
  if (typeof token !== 'string') throw new Error('the login returned no auth token');
  return token;
}

export const as = (authToken: string, body?: string): Call => ({
  headers: { 'x-auth-token': authToken },
  ...(body !== undefined && { body }),
});

export const logout = (to: Simulator, authToken: string): Promise<HttpResponse> =>
  call(to, 'POST', '/api/logout', as(authToken));

/** Returns the code of a rejected promise's error, or `none` if the promise resolves. */
export const errorCode = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

/** A clock in milliseconds since the epoch. The time advances only when a test calls `forward`. */
export function clock(start = 1_800_000_000_000) {
  let time = start;
  return {
    now: () => time,
    forward: (ms: number): void => {
      time += ms;
    },
  };
}

/** Opens a TLS connection that reports the bytes it receives and how it ends. */
export async function openRaw(to: Simulator) {
  const socket = connect({ host: to.host, port: to.port, ca: to.certificate, servername: 'localhost' });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
  await once(socket, 'secureConnect');
  return {
    socket,
    ended,
    received: () => text,
    post: (path: string, headers: Record<string, string>): void => {
      const lines = Object.entries({ host: 'localhost', 'content-length': '0', ...headers });
      socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    },
    /** Resolves once the received text matches the pattern. */
    until: async (pattern: RegExp): Promise<string> => {
      while (!pattern.test(text)) await once(socket, 'data');
      return text;
    },
  };
}
