/**
 * A gateway between the verifier and an array. The verifier connects over plain HTTP on loopback. The gateway connects to
 * the array with the client's own TLS transport.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import { exchange, type WireResponse } from '../../lib/flashblade/exchange.ts';
import { isInFront } from '../../lib/flashblade/responses.ts';
import type { Target } from '../targets/target.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';

/** Headers that apply to a single connection or that the transport sets. */
const OWN_HEADERS = [
  ...['accept-encoding', 'connection', 'content-length', 'host', 'keep-alive'],
  ...['transfer-encoding', 'user-agent'],
];
const REFUSED: readonly number[] = [400, 401, 403];

export type Gateway = LoopbackServer & {
  /** Every token that passed through the gateway. */
  readonly tokens: () => readonly string[];
};

/** If the array does not respond, the verifier receives a 502, and `onFailure` is called with the reason. */
export async function startGateway(target: Target, onFailure: (why: string) => void): Promise<Gateway> {
  const tokens = new Set<string>();
  let refusedLogins = 0;

  const pass = async (request: IncomingMessage, body: string): Promise<WireResponse> => {
    const { method = '', url: path = '' } = request;
    const isLogin = method === 'POST' && path === '/api/login';
    if (isLogin && refusedLogins >= target.maxRefusedLogins) {
      throw new Error(
        `no more logins are sent, because the array has refused the maximum number for this run (${refusedLogins})`,
      );
    }
    const headers = passedOn(request.headers);
    const wire = { method, path, headers, requestId: `contract-verification-${randomUUID()}` };
    for (const name of ['api-token', 'x-auth-token']) if (headers[name]) tokens.add(headers[name]);
    const watch = isLogin ? watchLogin(target, (token) => tokens.add(token)) : undefined;
    try {
      const sent = body === '' ? wire : { ...wire, body };
      const response = await exchange(target.array, sent, {}, { fresh: true, ...(watch && { onHead: watch.onHead }) });
      if (isLogin && REFUSED.includes(response.status)) refusedLogins += 1;
      // Pact cannot express this rule, because the content type may be JSON or absent.
      if (isInFront(response)) throw new Error(notTheArray(response.status, method, path));
      return response;
    } catch (error) {
      if (isFlashBladeError(error) && error.facts.sent) watch?.onLoss();
      throw error;
    }
  };

  const server = await startLoopback(async (request, body, response) => {
    try {
      const received = await pass(request, body);
      response.writeHead(received.status, passedOn(received.headers)).end(received.body);
    } catch (error) {
      onFailure(error instanceof Error ? error.message : 'an unexpected error');
      response.writeHead(502).end();
    }
  });
  return { ...server, tokens: () => [...tokens] };
}

const notTheArray = (status: number, method: string, path: string): string =>
  `the response to ${method} ${path} has status ${status}, but is neither JSON nor empty. The client assumes that something in front of the array, such as a proxy, sent the response.`;

/** Records a login's session as soon as the response headers arrive. If the headers never arrive, records the session as lost. */
function watchLogin({ sessions }: Target, onToken: (token: string) => void) {
  let seen = false;
  return {
    onHead: ({ status, headers }: Pick<WireResponse, 'status' | 'headers'>) => {
      const { 'x-auth-token': token = '' } = headers;
      seen = true;
      if (token !== '') {
        onToken(token);
        sessions.opened(token);
      } else if (status >= 200 && status < 300)
        sessions.lost(`the response to a login had status ${status} but no x-auth-token`);
    },
    onLoss: () => {
      if (!seen) sessions.lost('the response to a login was lost');
    },
  };
}

const passedOn = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OWN_HEADERS.includes(name))
      .map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
