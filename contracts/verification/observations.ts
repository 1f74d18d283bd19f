/** Answers, from what a verification observed, the questions about arrays that the vendor's public sources leave open. */
import type { WireResponse } from '../../lib/flashblade/exchange.ts';

/** One request to an array and its response, without tokens. */
export type Exchange = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly states: readonly string[];
  readonly status: number;
  readonly body: string;
  /** True if the response repeats the request's X-Request-ID. */
  readonly echoesRequestId: boolean;
  readonly server: string;
  /** The form of the auth token in the response to a login. */
  readonly authToken?: string;
};

/** What the verification found out before and after the exchanges. */
export type Observed = {
  readonly exchanges: readonly Exchange[];
  /** The form of the API token, from `formOf`. */
  readonly apiToken: string;
  /** How many sessions of the one user were open at the same time at the end. */
  readonly openAtTheEnd: number;
  /** Milliseconds, as the array reports it. */
  readonly idleTimeoutMs?: number | undefined;
  /** The `user_interface` of the user's own active sessions in the array's list. Undefined if the user may not list sessions. */
  readonly listedAs?: readonly string[] | undefined;
};

export type Answer = { readonly question: string; readonly answer: string };

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Describes a token without quoting it. */
export function formOf(token: string): string {
  if (new RegExp(`^${UUID}$`, 'i').test(token)) return 'a UUID';
  return new RegExp(`^T-${UUID}$`, 'i').test(token) ? '"T-" and a UUID' : `another form, ${token.length} characters`;
}

export function observed(
  { method, path, requestId }: { readonly method: string; readonly path: string; readonly requestId: string },
  states: readonly string[],
  { status, headers, body }: WireResponse,
): Exchange {
  const { 'x-auth-token': token, 'x-request-id': echoed, server = '' } = headers;
  return {
    method,
    path: path.split('?')[0] ?? '',
    states,
    status,
    body: shapeOf(body.toString()),
    echoesRequestId: echoed === requestId,
    server: /^[\w./ ()-]{1,40}$/.test(server) ? server : 'none or another',
    ...(token && { authToken: formOf(token) }),
  };
}

/** Describes a body by its form and the names of its fields. */
function shapeOf(text: string): string {
  if (text === '') return 'no body';
  try {
    const value: unknown = JSON.parse(text);
    const [inner] = Object.values(Object(value)).flat();
    const details = typeof inner === 'object' && inner !== null ? ` of ${namesIn(inner)}` : '';
    return `JSON with ${namesIn(value)}${details}`;
  } catch {
    return 'not JSON';
  }
}

/** Fields with other names, which may be anything, are left out. */
const namesIn = (value: unknown): string =>
  Object.keys(Object(value))
    .filter((name) => /^[a-z_]{1,32}$/i.test(name))
    .sort()
    .slice(0, 8)
    .join(', ');

/** Returns an answer to every question. An answer says so if the run could not observe it. */
export function answersOf({ exchanges, apiToken, openAtTheEnd, idleTimeoutMs, listedAs }: Observed): Answer[] {
  const inState = (state: string, path: RegExp) =>
    exchanges.filter((one) => one.states.includes(state) && path.test(one.path));
  const unknown = inState('the API token is not known', /\/login$/);
  const logins = exchanges.filter((one) => one.path === '/api/login' && one.status === 200);
  return [
    ['How does the array refuse an unknown API token?', responses(unknown)],
    [
      'How does it refuse a read with the auth token of an ended session?',
      responses(inState('the session has ended', /^\/api\/\d.*(?<!login|logout)$/)),
    ],
    ['How does it refuse a second logout?', responses(inState('the session has ended', /\/logout$/))],
    ['What form does its API token have?', apiToken],
    ['What form do its auth tokens have?', distinct(logins.map(({ authToken }) => authToken ?? 'none'))],
    [
      'How many sessions may a user have at the same time?',
      openAtTheEnd === 0 ? NOT_OBSERVED : `at least ${openAtTheEnd}`,
    ],
    ['Does it return the X-Request-ID?', distinct(exchanges.map((one) => (one.echoesRequestId ? 'yes' : 'no')))],
    ['How does its list of sessions name REST sessions?', listed(listedAs)],
    ['What idle timeout does it report?', idleTimeoutMs === undefined ? NOT_OBSERVED : `${idleTimeoutMs} ms`],
    ['What does its header Server contain?', distinct(exchanges.map(({ server }) => server))],
    [
      'Does a refused unknown API token lock out the user?',
      lockout(exchanges.indexOf(unknown[0] as Exchange), exchanges),
    ],
    ['Does the idle timeout end REST sessions? Do sessions have a maximum lifetime?', NOT_OBSERVED],
  ].map(([question = '', answer = '']) => ({ question, answer }));
}

const NOT_OBSERVED = 'not observed in this run';

const distinct = (values: readonly string[]): string =>
  values.length === 0 ? NOT_OBSERVED : [...new Set(values)].sort().join('; ');

const responses = (exchanges: readonly Exchange[]): string =>
  distinct(exchanges.map(({ status, body }) => `${status}, ${body}`));

function listed(names: readonly string[] | undefined): string {
  if (names === undefined) return NOT_OBSERVED;
  return names.length === 0 ? "the user's own session is not in the list" : distinct(names);
}

function lockout(refused: number, exchanges: readonly Exchange[]): string {
  const later = exchanges.slice(refused + 1).some((one) => one.path === '/api/login' && one.status === 200);
  return refused >= 0 && later ? 'not after one refusal' : NOT_OBSERVED;
}
