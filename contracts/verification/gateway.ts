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
import { type Exchange, observed } from './observations.ts';
import { type Arrangement, INTERACTION } from './state-server.ts';

/** Headers that apply to a single connection or that the transport sets. */
const OWN_HEADERS = [
  ...['accept-encoding', 'connection', 'content-length', 'host', 'keep-alive'],
  ...['transfer-encoding', 'user-agent', INTERACTION],
];
const REFUSED: readonly number[] = [400, 401, 403];

export type Gateway = LoopbackServer & {
  /** Every token that passed through the gateway. */
  readonly tokens: () => readonly string[];
  /** What the array did, without tokens. */
  readonly exchanges: () => readonly Exchange[];
};

type Surroundings = {
  /** What is being verified. */
  readonly current: () => Arrangement;
  /** Called if the verifier receives a 502 instead of the array's response. `interaction` is the value of the header `INTERACTION`. */
  readonly onFailure: (interaction: string, error: unknown) => void;
};

/** The verifier receives a 502 if the array does not respond, if a request must not be sent, or if a rule that Pact cannot express is broken. */
export async function startGateway(target: Target, { current, onFailure }: Surroundings): Promise<Gateway> {
  const tokens = new Set<string>();
  const exchanges: Exchange[] = [];

  const pass = async (request: IncomingMessage, body: string): Promise<WireResponse> => {
    const { method = '', url: path = '' } = request;
    const { states, values } = current();
    const headers = passedOn(request.headers);
    const { 'api-token': apiToken = '' } = headers;
    for (const name of ['api-token', 'x-auth-token']) if (headers[name]) tokens.add(headers[name]);
    const refusal = target.guard?.refuse({ method, path, apiToken, states });
    if (refusal !== undefined) throw new Error(refusal);

    const wire = { method, path, headers, requestId: `contract-verification-${randomUUID()}` };
    const isLogin = method === 'POST' && path === '/api/login';
    const watch = isLogin ? watchLogin(target, (token) => tokens.add(token)) : undefined;
    try {
      const sent = body === '' ? wire : { ...wire, body };
      const response = await exchange(target.array, sent, {}, { fresh: true, ...(watch && { onHead: watch.onHead }) });
      exchanges.push(observed(wire, states, response));
      if (apiToken !== '' && REFUSED.includes(response.status)) target.guard?.onRefusedLogin(apiToken);
      // Pact cannot express this rule, because the content type may be JSON or absent.
      if (isInFront(response)) throw new Error(notTheArray(response.status, method, path));
      // Nor can it compare a response with a value from a state: verifiers compare only the example in the pact.
      if (isLogin && isOfAnotherUser(response, values['username'])) throw new Error(OTHER_USER);
      if (isWithoutUser(path, response, values['username'])) throw new Error(WITHOUT_USER);
      return response;
    } catch (error) {
      if (isFlashBladeError(error) && error.facts.sent) watch?.onLoss();
      throw error;
    }
  };

  const server = await startLoopback(async (request, body, response) => {
    const interaction = [request.headers[INTERACTION] ?? ''].flat().join();
    try {
      const received = await pass(request, body);
      response.writeHead(received.status, passedOn(received.headers)).end(received.body);
    } catch (error) {
      onFailure(interaction, error);
      response.writeHead(502).end();
    }
  });
  return { ...server, tokens: () => [...tokens], exchanges: () => exchanges };
}

const notTheArray = (status: number, method: string, path: string): string =>
  `the response to ${method} ${path} has status ${status}, but is neither JSON nor empty. The client assumes that something in front of the array, such as a proxy, sent the response.`;

const OTHER_USER = 'the response to the login names a user who does not own the API token';

const WITHOUT_USER = "the list does not contain the user's own API token or session, although the request asks for it";

/** Returns true if a list that must contain the session's user does not. A malformed response is left to the pact. */
function isWithoutUser(path: string, { status, body }: WireResponse, username: unknown): boolean {
  const [name = '', query] = path.split('?');
  const asked = new URLSearchParams(query);
  const isOwnToken = name.endsWith('/admins/api-tokens') && asked.get('admin_names') === username;
  const isActive = name.endsWith('/sessions') && asked.get('filter') === 'end_time=0';
  if (status !== 200 || typeof username !== 'string' || !(isOwnToken || isActive)) return false;
  try {
    const items = Object(JSON.parse(body.toString())).items as { user?: unknown; admin?: { name?: unknown } }[];
    return items.length > 0 && !items.some(({ user, admin }) => (isOwnToken ? admin?.name : user) === username);
  } catch {
    return false;
  }
}

/** Returns true if the response to a login names a user other than `username`. A malformed response is left to the pact. */
function isOfAnotherUser({ status, body }: WireResponse, username: unknown): boolean {
  if (status !== 200 || typeof username !== 'string') return false;
  try {
    const named: unknown = Object(JSON.parse(body.toString())).username;
    return typeof named === 'string' && named !== username;
  } catch {
    return false;
  }
}

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
