/** Arrays that break the contract in one way each. The verification must fail exactly the interaction that is broken. */
import { afterAll, describe, expect, it } from 'vitest';
import { startVerifier } from '../../../contracts/verification/verifier.ts';
import { hasPassed, verify } from '../../../contracts/verification/verify.ts';
import type { RequestFault } from '../../../simulator/faults.ts';
import { badAnswers } from '../../../simulator/index.ts';
import { type Break, broken, failedOf, pact, simulated } from './providers.ts';

const verifier = startVerifier();
afterAll(() => verifier.stop());

const { loginBody, logoutNoContent, logoutWithBody, malformedAuthToken, redirect, withoutAuthToken } = badAnswers;

const at =
  (path: RequestFault['path'] & {}) =>
  (fault: RequestFault, only?: Break['only']): Break => ({ fault: { ...fault, path }, ...(only && { only }) });
const login = at('/api/login');
const logout = at('/api/logout');
const read = at(/\/arrays$/);
const versions = at('/api/api_version');
const answer = (fault: Omit<Extract<RequestFault, { kind: 'answer' }>, 'kind'>): RequestFault => ({
  kind: 'answer',
  ...fault,
});
const versionList = (body: unknown) => answer({ body: JSON.stringify(body) });

const VALID = 'a login with a valid API token';
const UNKNOWN = 'a login with an unknown API token';
const BUSY = 'a login while the array cannot serve requests';
const OPEN = 'a logout of an open session';
const ENDED = 'a logout of an ended session';
const READ = 'a read in an open session';
const READ_ENDED = 'a read in an ended session';
const VERSIONS = 'a request for the API versions';

const BROKEN: [string, Break, string][] = [
  [
    'its auth token comes in another header',
    login(answer({ withoutHeaders: ['x-auth-token'], headers: { 'x-token': 'x' } })),
    VALID,
  ],
  ['its login returns no auth token', login(withoutAuthToken), VALID],
  ['its auth token is malformed', login(malformedAuthToken()), VALID],
  ['its login has no username', login(loginBody('username missing')), VALID],
  ['its username is a number', login(loginBody('username of the wrong type')), VALID],
  ['its username is that of another user', login(answer({ body: '{"username":"root"}' })), VALID],
  ["its login has a FlashArray's body", login(loginBody('of a FlashArray')), VALID],
  ['its login is not JSON', login(loginBody('not JSON')), VALID],
  [
    'its login response does not have the content type JSON',
    login(answer({ headers: { 'content-type': 'text/html' } }), 'an API token is valid'),
    VALID,
  ],
  ['its login returns 201', login(answer({ status: 201 }), 'an API token is valid'), VALID],
  ['it refuses an unknown API token in HTML', login(badAnswers.htmlAnswer(403), 'the API token is not known'), UNKNOWN],
  [
    'it refuses the logout of an ended session in HTML',
    logout(badAnswers.htmlAnswer(403), 'the session has ended'),
    ENDED,
  ],
  [
    'it refuses a read in an ended session in HTML',
    read(badAnswers.htmlAnswer(403), 'the session has ended'),
    READ_ENDED,
  ],
  ['it accepts any API token', login(answer({ status: 200 })), UNKNOWN],
  ['it returns 404 for an unknown API token', login(answer({ status: 404 }), 'the API token is not known'), UNKNOWN],
  [
    'it resets the connection for an unknown API token',
    login({ kind: 'reset' }, 'the API token is not known'),
    UNKNOWN,
  ],
  ['its logout response has a body', logout(logoutWithBody, 'a session is open'), OPEN],
  ['its logout returns 204', logout(logoutNoContent, 'a session is open'), OPEN],
  ['it has no logout endpoint', logout(answer({ act: false, status: 404 }), 'a session is open'), OPEN],
  ['its logout redirects', logout(redirect(302, '/login'), 'a session is open'), OPEN],
  ['it confirms the logout of an ended session', logout(answer({ status: 200 })), ENDED],
  [
    'it returns 400 for the logout of an ended session',
    logout(answer({ status: 400 }), 'the session has ended'),
    ENDED,
  ],
  ['it serves a read in an ended session', read(answer({ status: 200 })), READ_ENDED],
  ['it refuses a read in an open session', read(answer({ status: 403 }), 'a session is open'), READ],
  ['it has no list of sessions', at(/\/sessions$/)(answer({ act: false, status: 404 })), 'a read of the open sessions'],
  [
    'it has no list of API tokens',
    at(/\/api-tokens$/)(answer({ act: false, status: 400 })),
    "a read of the user's own API token",
  ],
  ['its versions are numbers', versions(versionList({ versions: [2.26] })), VERSIONS],
  ['its list of versions is empty', versions(versionList({ versions: [] })), VERSIONS],
  ['one of its versions is malformed', versions(versionList({ versions: ['2.26', '2.x'] })), VERSIONS],
  ['it is a FlashArray', versions(versionList({ version: ['1.0', '2.26'] })), VERSIONS],
  ['a proxy responds in its place', versions(badAnswers.htmlAnswer(200)), VERSIONS],
];

describe('an array fails the verification if', () => {
  it.each(BROKEN)('%s', async (_, how, caught) => {
    const verification = await verify(pact, broken(await simulated(), how), verifier);
    expect(failedOf(pact, verification)).toEqual([caught]);
    expect(hasPassed(verification)).toBe(false);
  });

  it('it serves a request in the state in which it must fail', async () => {
    const simulator = await simulated();
    const target = broken(simulator, login({ kind: 'informational', statuses: [103] }));
    const handlers = { ...target.handlers, 'the array cannot serve requests': async () => ({}) };
    const verification = await verify(pact, { ...target, handlers }, verifier);
    expect(failedOf(pact, verification)).toEqual([BUSY]);
  });
});

it('the verification closes a session that the array kept open after confirming its logout', async () => {
  const simulator = await simulated();
  const lie = logout(answer({ act: false, status: 200, headers: {}, body: '' }), 'a session is open');
  await verify(pact, broken(simulator, lie), verifier);
  expect(simulator.history.length).toBeGreaterThan(0);
  expect(simulator.sessions()).toEqual([]);
});

describe('an array passes the verification if', () => {
  it.each([
    ['it follows the wire protocol', {}],
    ['it refuses API tokens with 400', { refusedLoginStatus: 400 }],
    ['it refuses API tokens with 403', { refusedLoginStatus: 403 }],
    ['it returns 401 for auth tokens without a session', { deadSessionStatus: 401 }],
  ] as const)('%s', async (_, options) => {
    const simulator = await simulated(options);
    const verification = await verify(
      pact,
      broken(simulator, { fault: { kind: 'informational', statuses: [] } }),
      verifier,
    );
    expect(verification.interactions.flatMap(({ reasons }) => reasons)).toEqual([]);
    expect([hasPassed(verification), simulator.sessions()]).toEqual([true, []]);
  });

  it('its content type for JSON has a parameter', async () => {
    const how = versions(answer({ headers: { 'content-type': 'application/json;charset=UTF-8' } }));
    expect(hasPassed(await verify(pact, broken(await simulated(), how), verifier))).toBe(true);
  });
});
