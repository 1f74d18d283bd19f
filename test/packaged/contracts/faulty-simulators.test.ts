/** Every fault of the simulator is detected by `npm run contracts`: each is one change in the source code of simulator/. */
import '../../kit/reflect.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { startVerifier } from '../../../contracts/verification/verifier.ts';
import { hasPassed, verify } from '../../../contracts/verification/verify.ts';
import type { startSimulator } from '../../../simulator/index.ts';
import { brokenCopy, type Patch } from '../../proofs/controls.ts';
import { failedOf, pact } from '../../unit/contracts/providers.ts';
import { authority, certificate } from '../../unit/flashblade/servers.ts';

const verifier = startVerifier();
afterAll(() => verifier.stop());

const AUTHENTICATION = 'simulator/authentication.ts';
const SESSIONS = 'simulator/sessions.ts';
const REPLY = 'simulator/reply.ts';
const ROUTES = 'simulator/routes.ts';

const OPEN = 'const session = array.sessions.open(';
const END = "array.sessions.end(authToken, 'logout');";
const LOGIN = "return json(200, { username }, { 'x-auth-token': session.authToken });";

/** The fault, the change, and an interaction that fails. */
const FAULTS: readonly (readonly [fault: string, file: string, find: string, replace: string, caught: string])[] = [
  // Sessions
  [
    'gives every session the same auth token',
    SESSIONS,
    'settings.newAuthToken()',
    "'one-token-for-all'",
    'a read in an open session beside an ended session',
  ],
  [
    'ends all sessions of a user at a logout',
    AUTHENTICATION,
    END,
    "array.sessions.end(authToken, 'logout');\n  for (const one of array.sessions.alive()) array.sessions.end(one.authToken, 'logout');",
    'a read in an open session beside an ended session',
  ],
  [
    'ends the earlier sessions of a user at a login',
    AUTHENTICATION,
    OPEN,
    `for (const one of array.sessions.alive()) array.sessions.end(one.authToken, 'array');\n  ${OPEN}`,
    'a read in an open session beside an ended session',
  ],
  [
    'lets each user have one session',
    AUTHENTICATION,
    OPEN,
    `if (array.sessions.alive().some((one) => one.username === username)) return accessDenied(403, request.path);\n  ${OPEN}`,
    'a read in an open session beside an ended session',
  ],
  [
    'opens no session at a login',
    AUTHENTICATION,
    LOGIN,
    `array.sessions.end(session.authToken, 'array');\n  ${LOGIN}`,
    'a read in an open session',
  ],
  [
    'confirms logouts, but ends no session',
    AUTHENTICATION,
    END,
    'array.sessions.use(authToken) !== undefined;',
    'a read in an ended session',
  ],
  [
    'confirms the logout of an ended session',
    AUTHENTICATION,
    'return ended ? empty(200)',
    'return ended || authToken ? empty(200)',
    'a logout of an ended session',
  ],
  [
    'keeps ended sessions usable',
    SESSIONS,
    'session.ended = { at, by };\n    return live.delete(authToken);',
    'return by === "logout";',
    'a read in an ended session',
  ],
  [
    'ends a session at its first use',
    SESSIONS,
    'session.lastUsedAt = settings.now();\n    return session;',
    "endAt(authToken, settings.now(), 'age');\n    return undefined;",
    'a read in an open session',
  ],
  [
    'refuses a logout of an open session',
    AUTHENTICATION,
    'return ended ? empty(200)',
    'return !ended ? empty(200)',
    'a logout of an open session',
  ],
  [
    'returns 404 for ended sessions',
    AUTHENTICATION,
    'accessDenied(array.settings.deadSessionStatus, request.path);',
    'accessDenied(404, request.path);',
    'a logout of an ended session',
  ],
  ['returns 204 for a logout', AUTHENTICATION, 'empty(200)', 'empty(204)', 'a logout of an open session'],
  [
    'returns a body for a logout',
    AUTHENTICATION,
    'return ended ? empty(200)',
    'return ended ? json(200, {})',
    'a logout of an open session',
  ],
  [
    'reads the auth token of a logout from another header',
    AUTHENTICATION,
    "request.headers['x-auth-token']",
    "request.headers['auth-token']",
    'a logout of an open session',
  ],
  [
    'reads auth tokens from another header',
    ROUTES,
    "request.headers['x-auth-token']",
    "request.headers['auth-token']",
    'a read in an open session',
  ],
  // Logins
  [
    'accepts any API token',
    AUTHENTICATION,
    'return user && { user,',
    'return { user: user ?? users.all()[0],',
    'a login with an unknown API token',
  ],
  [
    'refuses every API token',
    AUTHENTICATION,
    'return user && {',
    'return undefined && {',
    'a login with a valid API token',
  ],
  [
    'reads the API token from another header',
    AUTHENTICATION,
    "request.headers['api-token']",
    "request.headers['x-api-token']",
    'a login with a valid API token',
  ],
  [
    'returns the auth token in another header',
    AUTHENTICATION,
    "{ 'x-auth-token': session",
    "{ 'auth-token': session",
    'a login with a valid API token',
  ],
  [
    'returns the auth token only in the body',
    AUTHENTICATION,
    LOGIN,
    'return json(200, { username, token: session.authToken });',
    'a login with a valid API token',
  ],
  [
    'returns an empty auth token',
    AUTHENTICATION,
    "'x-auth-token': session.authToken",
    "'x-auth-token': ''",
    'a login with a valid API token',
  ],
  [
    'returns 201 for a login',
    AUTHENTICATION,
    'return json(200, { username }',
    'return json(201, { username }',
    'a login with a valid API token',
  ],
  [
    'returns no username',
    AUTHENTICATION,
    'return json(200, { username }',
    'return json(200, {}',
    'a login with a valid API token',
  ],
  [
    'returns another username',
    AUTHENTICATION,
    'return json(200, { username }',
    "return json(200, { username: 'root' }",
    'a login with a valid API token',
  ],
  [
    'returns a list of usernames',
    AUTHENTICATION,
    'return json(200, { username }',
    'return json(200, { items: [{ username }] }',
    'a login with a valid API token',
  ],
  [
    'returns 404 for an unknown API token',
    AUTHENTICATION,
    'accessDenied(settings.refusedLoginStatus, path)',
    'accessDenied(404, path)',
    'a login with an unknown API token',
  ],
  [
    'returns 500 for an unknown API token',
    AUTHENTICATION,
    'accessDenied(settings.refusedLoginStatus, path)',
    'accessDenied(500, path)',
    'a login with an unknown API token',
  ],
  [
    'locks a user out after one refusal',
    AUTHENTICATION,
    'if (settings.maxLoginAttempts === 0 ||',
    'if (',
    'a read in an open session',
  ],
  [
    'expects logins on a versioned path',
    ROUTES,
    "'/api/login': {",
    "'/api/2.26/login': {",
    'a login with a valid API token',
  ],
  ['expects logins with PUT', ROUTES, 'POST: login }', 'PUT: login }', 'a login with a valid API token'],
  ['expects logouts with DELETE', ROUTES, 'POST: logout }', 'DELETE: logout }', 'a logout of an open session'],
  // Everything else
  [
    'names its versions as a FlashArray',
    ROUTES,
    'json(200, { versions: settings.versions })',
    'json(200, { version: settings.versions })',
    'a request for the API versions',
  ],
  [
    'names its versions with a prefix',
    ROUTES,
    'versions: settings.versions }',
    "versions: settings.versions.map((one) => 'v' + one) }",
    'a request for the API versions',
  ],
  [
    'names its versions only after a login',
    ROUTES,
    '(_, { settings }) => json(200, { versions',
    "(_, { settings }) => json(_.headers['x-auth-token'] ? 200 : 403, { versions",
    'a request for the API versions',
  ],
  [
    'declares JSON as text',
    REPLY,
    "'content-type': 'application/json'",
    "'content-type': 'text/plain'",
    'a login with a valid API token',
  ],
  [
    'declares JSON as a problem',
    REPLY,
    "'content-type': 'application/json'",
    "'content-type': 'application/problem+json'",
    'a login with a valid API token',
  ],
  [
    'refuses in HTML',
    REPLY,
    "pathError(status, path, 'Access Denied');",
    "htmlPage(status, 'Access Denied');",
    'a read in an ended session',
  ],
  [
    'refuses with success',
    REPLY,
    "pathError(status, path, 'Access Denied')",
    "pathError(200, path, 'Access Denied')",
    'a read in an ended session',
  ],
];

describe('`npm run contracts` fails if the simulator', () => {
  async function verification(...patches: Patch[]) {
    await using copy = await brokenCopy('simulator/index.ts', patches);
    const { startSimulator: start } = (await import(copy.path)) as { startSimulator: typeof startSimulator };
    const simulator = await start({ certificate: { ...certificate, ca: authority.certificate } });
    try {
      return await verify(pact, simulatorTarget(simulator), verifier);
    } finally {
      await simulator.stop();
    }
  }

  it.each(FAULTS)('%s', async (_, file, find, replace, caught) => {
    const found = await verification({ file, find, replace });
    expect(failedOf(pact, found)).toContain(caught);
  });

  it('is broken on purpose, but not if it is unchanged', async () => {
    expect(hasPassed(await verification())).toBe(true);
  });
});
