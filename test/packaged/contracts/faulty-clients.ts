/** Faulty clients: each is one change in the source code of lib/. A test must fail for each. */
import type { Patch } from '../../proofs/controls.ts';

/** `by` is the test file that detects the fault. `npm run contracts` runs the files in contracts/consumer/. */
export type FaultyClient = Patch & { readonly by: string };

type Change = readonly [file: string, find: string, replace: string];

const CLIENT = 'lib/flashblade/client.ts';
const RESPONSES = 'lib/flashblade/responses.ts';
const EXCHANGE = 'lib/flashblade/exchange.ts';
const WIRE = 'lib/flashblade/http/request.ts';
const CALLS = 'lib/flashblade/requests.ts';
const FACTS = 'lib/fleet/array-facts.ts';
const CHECK = 'lib/fleet/check-array.ts';
const COMPARE = 'lib/fleet/compare-sessions.ts';
const RENEW = 'lib/leases/renew.ts';
const USE = 'lib/leases/use.ts';
const SESSION = 'lib/leases/session.ts';

const LOGIN_CALL = 'const response = await exchange(array, wire, options, {\n      fresh';
const READ_HEADERS = "const headers = { 'x-auth-token': token, ...json };";
const SENT_HEAD = '\\r\\nConnection: keep-alive\\r\\nAccept-Encoding: identity\\r\\n';
const LOGOUT_HEADERS = "path: '/api/logout', headers: { 'x-auth-token': token }";

/** Detected by `npm run contracts`, by the consumer test file of this name. */
const CHANGES: Readonly<Record<string, Readonly<Record<string, Change>>>> = {
  login: {
    'sends the API token in another header': [CLIENT, "'api-token': sendable", "'x-api-token': sendable"],
    'cuts the API token': [
      CLIENT,
      "sendable(token, array, 'SECRET_INVALID') }",
      "sendable(token, array, 'SECRET_INVALID').slice(0, -1) }",
    ],
    'sends a constant instead of the API token': [
      CLIENT,
      "sendable(token, array, 'SECRET_INVALID') }",
      "'T-00000000-0000-0000-0000-000000000000' }",
    ],
    'also sends the API token in the query': [
      CLIENT,
      "path: '/api/login'",
      "path: '/api/login?api-token=' + token.reveal()",
    ],
    'also sends the API token in the header of the auth token': [
      CLIENT,
      "const headers = { 'api-token':",
      "const headers = { 'x-auth-token': token.reveal(), 'api-token':",
    ],
    'also sends the API token in the header authorization': [
      CLIENT,
      "const headers = { 'api-token':",
      "const headers = { authorization: token.reveal(), 'api-token':",
    ],
    'uses the API token as the request id of a login': [
      CLIENT,
      "path: '/api/login', headers, requestId: options.requestId",
      "path: '/api/login', headers, requestId: token.reveal().replace('T-', 'id-')",
    ],
    'sends null as the body of a login': [
      CLIENT,
      "path: '/api/login', headers",
      "path: '/api/login', body: 'null', headers",
    ],
    'sends the API token in the body of a login': [
      CLIENT,
      "path: '/api/login', headers",
      "path: '/api/login', body: JSON.stringify({ api_token: token.reveal() }), headers",
    ],
    'declares a type for the empty body of a login': [
      CLIENT,
      "const headers = { 'api-token':",
      "const headers = { 'Content-Type': 'application/json', 'api-token':",
    ],
    'logs in with GET': [CLIENT, "method: 'POST', path: '/api/login'", "method: 'GET', path: '/api/login'"],
    'logs in on a versioned path': [CLIENT, "path: '/api/login'", "path: '/api/2.26/login'"],
    'logs in with a slash at the end of the path': [CLIENT, "path: '/api/login'", "path: '/api/login/'"],
    'logs in twice': [CLIENT, LOGIN_CALL, `await exchange(array, wire, options);\n    ${LOGIN_CALL}`],
    'logs out before it logs in': [
      CLIENT,
      LOGIN_CALL,
      `await exchange(array, { method: 'POST', path: '/api/logout' }, options);\n    ${LOGIN_CALL}`,
    ],
    'repeats a login whose connection breaks': [CLIENT, 'mustHear: true,', 'mustHear: true,\n      repeatable: true,'],
    'sends no length with an empty body': [WIRE, "if (method !== 'GET' || body !== '')", "if (body !== '')"],
    'sends the host without its port': [WIRE, 'return array.port === 443 ?', 'return array.port !== 443 ?'],
    'closes the connection after each request': [WIRE, 'Connection: keep-alive', 'Connection: close'],
    'accepts compressed responses': [WIRE, 'Accept-Encoding: identity', 'Accept-Encoding: gzip'],
    'sends a header that no array needs': [WIRE, SENT_HEAD, `${SENT_HEAD}Accept: text/html\\r\\n`],
    'sends HTTP/1.0': [WIRE, ' HTTP/1.1\\r\\nHost', ' HTTP/1.0\\r\\nHost'],
    'sends no user agent': [WIRE, 'const USER_AGENT = ', "const USER_AGENT = '' && "],
    'sends the same request id each time': [EXCHANGE, '?? randomUUID();', "?? 'flashblade-sessions';"],
    'reads the auth token from another header': [
      RESPONSES,
      "const { 'x-auth-token': value = '' } = headers;",
      "const { 'x-session': value = '' } = headers;",
    ],
    'cuts the auth token': [
      RESPONSES,
      'isHeaderValue(value) ? authToken(value)',
      'isHeaderValue(value) ? authToken(value.slice(1))',
    ],
    'reads the user from another field': [
      RESPONSES,
      "response.body.toString()), 'username')",
      "response.body.toString()), 'user')",
    ],
    'takes a login that is refused with 400 for an invalid response': [
      RESPONSES,
      'status === 400 || isRefusal(status)',
      'isRefusal(status)',
    ],
    'takes a login that is refused with 403 for an invalid response': [
      RESPONSES,
      'status === 400 || isRefusal(status)',
      'status === 400 || status === 401',
    ],
    'takes 429 for an invalid response': [RESPONSES, 'status === 429 || status === 503;', 'status === 503;'],
    'takes any server error for a busy array that opened nothing': [
      RESPONSES,
      'status === 429 || status === 503;',
      'status === 429 || status >= 500;',
    ],
    'believes that a refused login opened a session': [
      RESPONSES,
      'const facts = { mayHaveOpened: false };',
      'const facts = {};',
    ],
    'accepts every 2xx as a login': [
      RESPONSES,
      'if (response.status !== 200) throw noSession',
      'if (Math.floor(response.status / 100) !== 2) throw noSession',
    ],
    'accepts a login without an auth token': [
      RESPONSES,
      'isHeaderValue(value) ? authToken(value) : undefined',
      "authToken(value || 'none')",
    ],
    'accepts a login without a username': [RESPONSES, 'if (!isUsername(username, [token, opened]))', 'if (false)'],
    'keeps the session of a login that it does not accept': [
      CLIENT,
      '!(await rollBack(array, opened, options))',
      'true',
    ],
    'accepts any certificate in place of the one with the fingerprint': [
      'lib/flashblade/trust.ts',
      '|| !trust.fingerprints.includes(fingerprint)',
      '',
    ],
  },
  logout: {
    'takes a refusal from a proxy for one from the array': [RESPONSES, "(type !== '' && !isJson(response)) ||", ''],
    'takes a logout that the array was too busy for (429) for a mistake': [
      CLIENT,
      'if (status === 429 || status >= 500) {',
      'if (status >= 500) {',
    ],
    'logs out on a versioned path': [CLIENT, "path: '/api/logout', headers", "path: '/api/2.26/logout', headers"],
    'logs out with DELETE': [
      CLIENT,
      "{ method: 'POST', path: '/api/logout'",
      "{ method: 'DELETE', path: '/api/logout'",
    ],
    'sends a body with a logout': [CLIENT, "path: '/api/logout', headers", "path: '/api/logout', body: '{}', headers"],
    'sends the auth token of a logout in another header': [
      CLIENT,
      LOGOUT_HEADERS,
      LOGOUT_HEADERS.replace('x-auth', 'auth'),
    ],
    'logs out with the API token': [
      CLIENT,
      LOGOUT_HEADERS,
      "path: '/api/logout', headers: { 'x-auth-token': session.apiToken?.reveal() ?? '' }",
    ],
    'also sends the API token with a logout': [
      CLIENT,
      LOGOUT_HEADERS,
      "path: '/api/logout', headers: { 'x-auth-token': token, 'api-token': session.apiToken?.reveal() ?? '' }",
    ],
    'cuts the auth token of a logout': [CLIENT, LOGOUT_HEADERS, LOGOUT_HEADERS.replace('token }', 'token.slice(1) }')],
    'does not repeat a logout whose connection broke': [
      CLIENT,
      '{ repeatable: true, decides: decidesCall, tokens: tokensOf(session) }',
      '{ decides: decidesCall, tokens: tokensOf(session) }',
    ],
    'takes a session that has ended (403) for one that is open': [
      CLIENT,
      'status === 401 || status === 403) {',
      'status === 401) {',
    ],
    'takes a session that has ended (401) for one that is open': [
      CLIENT,
      'status === 401 || status === 403) {',
      'status === 403) {',
    ],
    'accepts every 2xx as a logout': [CLIENT, 'status === 200 && body.length === 0', 'status >= 200 && status < 300'],
    'accepts a logout on a wrong path': [CLIENT, '|| status === 401 || status === 403) {', '|| status < 500) {'],
    'takes a busy array for a confirmed logout': [
      CLIENT,
      '|| status === 401 || status === 403) {',
      '|| status !== 200) {',
    ],
  },
  renewal: {
    'logs in again after a refusal from a proxy': [USE, 'if (isInFront && isRefusal(status))', 'if (false)'],
    'does not repeat a read whose connection broke': [CLIENT, 'repeatable: isGet,', 'repeatable: false,'],
    'sends the auth token of a read in another header': [
      CLIENT,
      READ_HEADERS,
      "const headers = { 'auth-token': token, ...json };",
    ],
    'cuts the auth token of a read': [
      CLIENT,
      READ_HEADERS,
      "const headers = { 'x-auth-token': token.slice(0, 8), ...json };",
    ],
    'sends a constant instead of the auth token of a read': [
      CLIENT,
      READ_HEADERS,
      "const headers = { 'x-auth-token': '5b2c1e90-3a6f-4d0e-8b55-7c2b0f4a1d8f', ...json };",
    ],
    'sends the API token with a read': [
      CLIENT,
      READ_HEADERS,
      "const headers = { 'x-auth-token': token, 'api-token': session.apiToken?.reveal() ?? '', ...json };",
    ],
    'declares a type for the empty body of a read': [CLIENT, 'wire.body === undefined ? {} :', 'false ? {} :'],
    'sends a length with a read': [WIRE, "if (method !== 'GET' || body !== '')", 'if (true)'],
    'asks for the versions on another path': [
      CLIENT,
      "path: '/api/api_version', requestId",
      "path: '/api/versions', requestId",
    ],
    'asks for the versions with the auth token': [
      CLIENT,
      "path: '/api/api_version', requestId",
      "path: '/api/api_version', headers: { 'x-auth-token': tokens[0]?.reveal() ?? '' }, requestId",
    ],
    'compares versions as text': [
      RESPONSES,
      'return parts.find((difference) => difference !== 0) ?? 0;',
      'return left < right ? -1 : 1;',
    ],
    'renews in the oldest version': [RENEW, '.at(-1);', '.at(0);'],
    'renews with another path': [RENEW, '/arrays`', '/sessions`'],
    'renews with another method': [RENEW, "method: 'GET'", "method: 'PATCH'"],
    'renews with a query': [RENEW, '/arrays` }', '/arrays`, query: { limit: 1 } }'],
    'renews without a call': [RENEW, 'await keepAlive(ports, renewed(', 'await (async (..._) => {})(ports, renewed('],
    'does not log in again after 401': [
      RESPONSES,
      'status === 401 || status === 403;\nconst isRefusedLogin',
      'status === 403;\nconst isRefusedLogin',
    ],
    'does not log in again after 403': [
      RESPONSES,
      'status === 401 || status === 403;\nconst isRefusedLogin',
      'status === 401;\nconst isRefusedLogin',
    ],
    'repeats a refused read with the old auth token': [
      USE,
      'await send(held, call, options)',
      'await send(used, call, options)',
    ],
    'does not end the previous session before it logs in again': [
      SESSION,
      'await ports.flashblade.logout(session, {',
      'await Promise.resolve({',
    ],
  },
  'fleet-check': {
    'does not recognize a FlashArray': [
      RESPONSES,
      "fieldOf(json, 'version') !== undefined",
      "fieldOf(json, 'model') !== undefined",
    ],
    'accepts versions that are numbers': [RESPONSES, "typeof version === 'string' && /^", '/^'],
    'accepts a list with another status': [FACTS, 'status === 200 ? pageOf(body)', 'status < 500 ? pageOf(body)'],
    'counts sessions that have ended': [FACTS, ' && one.end_time === 0)', ')'],
    'counts sessions of other interfaces': [FACTS, "one.user_interface === 'REST' && ", ''],
    'counts sessions of other users': [COMPARE, '.filter(({ user }) => user === username).map', '.map'],
    'takes a busy array for one without a list': [
      FACTS,
      'if (status === 429 || status >= 500) {',
      'if (status === 429) {',
    ],
    'asks for the sessions without a filter': [FACTS, "filter: 'end_time=0', ", ''],
    'asks for other sessions': [FACTS, "filter: 'end_time=0'", "filter: 'end_time>0'"],
    'asks for smaller pages': [FACTS, 'const PAGE_ITEMS = 1000;', 'const PAGE_ITEMS = 100;'],
    'asks for the sessions on another path': [FACTS, "readPage('sessions'", "readPage('session'"],
    'encodes the query twice': [
      CALLS,
      'return encodeURIComponent(text);',
      'return encodeURIComponent(encodeURIComponent(text));',
    ],
    'asks for the API tokens by names': [FACTS, '{ admin_names: username }', '{ names: username }'],
    'asks for the API tokens of every user': [
      FACTS,
      "'admins/api-tokens', { admin_names: username }",
      "'admins/api-tokens'",
    ],
    'asks for the API tokens of a constant user': [FACTS, '{ admin_names: username }', "{ admin_names: 'admin' }"],
    'asks for exposed API tokens': [
      FACTS,
      '{ admin_names: username }',
      "{ admin_names: username, expose_api_token: 'true' }",
    ],
    'reads in a version of REST 1': [FACTS, "one.startsWith('2.')", "one.startsWith('1.')"],
    'asks for the sessions in versions that do not have them': [
      FACTS,
      "const SESSIONS_SINCE = '2.3';",
      "const SESSIONS_SINCE = '2.0';",
    ],
    'reads in another order': [
      FACTS,
      'const idleSeconds = idleSecondsOf(',
      "await readPage('sessions');\n  const idleSeconds = idleSecondsOf(",
    ],
    'reads the idle timeout in seconds': [FACTS, 'output.idle_timeout / 1000', 'output.idle_timeout'],
    'reads the expiry in seconds': [FACTS, 'return expiresAt ? expiresAt / 1000', 'return expiresAt ? expiresAt'],
    'reads the start of a session in seconds': [FACTS, 'startedAt: start_time / 1000', 'startedAt: start_time'],
    'reads another field for the idle timeout': [
      FACTS,
      'fields({ idle_timeout: v.number() });',
      'fields({ idle_timeout: v.number(), timeout: v.number() });',
    ],
    'reads another field for the user of a session': [
      FACTS,
      '  user: v.string(),',
      '  user: v.string(),\n  username: v.string(),',
    ],
    'reads another field for the owner of an API token': [
      FACTS,
      'admin: fields({ name: v.string() })',
      'admin: fields({ name: v.string(), username: v.string() })',
    ],
    'expects another interface of its sessions': [
      FACTS,
      "one.user_interface === 'REST'",
      "one.user_interface === 'API'",
    ],
    'expects another end of an open session': [FACTS, 'one.end_time === 0)', 'one.end_time === -1)'],
    'takes a refused list for a failure': [FACTS, 'if (status === 401 || status === 403) return undefined;', ''],
    'takes a list that is refused with 401 for a failure': [
      FACTS,
      'if (status === 401 || status === 403)',
      'if (status === 403)',
    ],
    'reads only the first page': [FACTS, 'if (page.next === undefined) return active;', 'return active;'],
    'sends the token of the next page under another name': [
      FACTS,
      'from = { continuation_token: page.next };',
      'from = { token: page.next };',
    ],
    'leaves out the filter of the next page': [
      FACTS,
      "{ filter: 'end_time=0', limit: PAGE_ITEMS, ...from }",
      "'continuation_token' in from ? from : { filter: 'end_time=0', limit: PAGE_ITEMS }",
    ],
    'does not recognize its own session': [COMPARE, 'user === username).map', 'user !== username).map'],
    'does not log out after a fleet check': [CHECK, 'await closeSession(ports, leaseId, endsAt);', ''],
    'asks for the versions after the login': [
      CHECK,
      'const loggedInAt = seconds(ports.now());',
      'await ports.flashblade.apiVersions(array, { deadline: by });\n  const loggedInAt = seconds(ports.now());',
    ],
  },
};

export const BY_CONTRACTS: Readonly<Record<string, FaultyClient>> = Object.fromEntries(
  Object.entries(CHANGES).flatMap(([name, changes]) =>
    Object.entries(changes).map(([fault, [file, find, replace]]) => [
      fault,
      { file, find, replace, by: `contracts/consumer/${name}.test.ts` },
    ]),
  ),
);

const LOGIN = { by: 'test/unit/flashblade/login.test.ts' };
const EXCHANGES = { by: 'test/unit/flashblade/exchange.test.ts' };

/** Faults that neither a request nor a response shows. `test` is the test that must fail. */
export const BY_OTHERS: Readonly<Record<string, FaultyClient & { readonly test: string }>> = {
  'logs in on a connection that was idle for a second': {
    ...LOGIN,
    ...{ file: CLIENT, find: 'fresh: true,\n      mustHear', replace: 'fresh: false,\n      mustHear' },
    test: 'a login never uses a connection that has been idle for one second',
  },
  'shows the auth token to callers': {
    ...LOGIN,
    ...{ file: RESPONSES, find: "const SECRET_HEADERS = ['x-auth-token', ", replace: 'const SECRET_HEADERS = [' },
    test: 'loginWithHttpInfo returns status and headers, but not the auth token',
  },
  'sends an API token that is not a header value': {
    ...LOGIN,
    ...{ file: WIRE, find: '/^[!-~]{1,1024}$/.test(value)', replace: '/^[!-~]{1,1025}$/.test(value)' },
    test: `an API token that is not a valid header value is not sent: "${'x'.repeat(1025)}"`,
  },
  'sends a request after its deadline': {
    ...EXCHANGES,
    ...{ file: EXCHANGE, find: 'if (limits.endsAt <= Date.now()) throw outOfTime(array);', replace: '' },
    test: 'is not started without time',
  },
  'repeats a request on a connection that cannot be made, even if it must not be repeated': {
    ...EXCHANGES,
    ...{ file: EXCHANGE, find: 'options.repeatable && first.broken', replace: 'first.broken' },
    test: 'that broke makes a request fail that is not repeatable',
  },
};
