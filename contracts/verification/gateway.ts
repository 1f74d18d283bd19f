/** The array as the verifier sees it: plain HTTP on loopback here, TLS by the client's own transport there. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import { exchange, type WireResponse } from '../../lib/flashblade/exchange.ts';
import type { Target } from '../targets/target.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';

/** What belongs to one connection, or is made anew by the transport. */
const OWN_HEADERS = ['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding', 'user-agent'];
const REFUSED: readonly number[] = [400, 401, 403];

export type Gateway = LoopbackServer & {
  /** Every token that passed. */
  readonly tokens: () => readonly string[];
};

/** `onFailure` is told why a request did not get an answer of the array; the verifier gets 502 then. */
export async function startGateway(target: Target, onFailure: (why: string) => void): Promise<Gateway> {
  const tokens = new Set<string>();
  let refusedLogins = 0;

  const pass = async (request: IncomingMessage, body: string): Promise<WireResponse> => {
    const { method = '', url: path = '' } = request;
    const isLogin = method === 'POST' && path === '/api/login';
    if (isLogin && refusedLogins >= target.maxRefusedLogins) {
      throw new Error(`no login is sent any more: the array refused ${refusedLogins}, as many as this run may have`);
    }
    const headers = passedOn(request.headers);
    const wire = { method, path, headers, requestId: `contract-verification-${randomUUID()}` };
    for (const name of ['api-token', 'x-auth-token']) if (headers[name]) tokens.add(headers[name]);
    const note = isLogin ? noteLogin(target, (token) => tokens.add(token)) : undefined;
    try {
      const sent = body === '' ? wire : { ...wire, body };
      const response = await exchange(target.array, sent, {}, { fresh: true, ...(note && { onHead: note.onHead }) });
      if (isLogin && REFUSED.includes(response.status)) refusedLogins += 1;
      return response;
    } catch (error) {
      if (isFlashBladeError(error) && error.facts.sent) note?.onLoss();
      throw error;
    }
  };

  const server = await startLoopback(async (request, body, response) => {
    try {
      const answer = await pass(request, body);
      response.writeHead(answer.status, passedOn(answer.headers)).end(answer.body);
    } catch (error) {
      onFailure(error instanceof Error ? error.message : 'an unexpected error');
      response.writeHead(502).end();
    }
  });
  return { ...server, tokens: () => [...tokens] };
}

/** Notes the session of a login as soon as the head of the answer is there, or that nobody will ever know its auth token. */
function noteLogin({ sessions }: Target, onToken: (token: string) => void) {
  let seen = false;
  return {
    onHead: ({ status, headers }: Pick<WireResponse, 'status' | 'headers'>) => {
      const { 'x-auth-token': token = '' } = headers;
      seen = true;
      if (token !== '') {
        onToken(token);
        sessions.opened(token);
      } else if (status >= 200 && status < 300) sessions.lost(`a login was answered ${status} without x-auth-token`);
    },
    onLoss: () => {
      if (!seen) sessions.lost('the answer to a login was lost');
    },
  };
}

const passedOn = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OWN_HEADERS.includes(name))
      .map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
