/** Arrays that are broken on purpose: each must be caught, exactly where it is broken. */
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
const BUSY = 'a login while the array cannot serve';
const OPEN = 'a logout of an open session';
const ENDED = 'a logout of an ended session';
const READ = 'a read under an open session';
const READ_ENDED = 'a read under an ended session';
const VERSIONS = 'a request for the API versions';

const BROKEN: [string, Break, string][] = [
  [
    'its auth token comes in another header',
    login(answer({ withoutHeaders: ['x-auth-token'], headers: { 'x-token': 'x' } })),
    VALID,
  ],
  ['it gives no auth token', login(withoutAuthToken), VALID],
  ['its auth token cannot stand in a header', login(malformedAuthToken()), VALID],
  ['its login has no username', login(loginBody('username missing')), VALID],
  ['its username is a number', login(loginBody('username of the wrong type')), VALID],
  ["its username is somebody else's", login(answer({ body: '{"username":"root"}' })), VALID],
  ["its login has a FlashArray's body", login(loginBody('of a FlashArray')), VALID],
  ['its login is not JSON', login(loginBody('not JSON')), VALID],
  [
    'its login does not say that it is JSON',
    login(answer({ headers: { 'content-type': 'text/html' } }), 'an API token is valid'),
    VALID,
  ],
  ['its login answers 201', login(answer({ status: 201 }), 'an API token is valid'), VALID],
  ['it takes any API token', login(answer({ status: 200 })), UNKNOWN],
  ['it answers 404 to an unknown API token', login(answer({ status: 404 }), 'the API token is not known'), UNKNOWN],
  ['it resets the connection of an unknown API token', login({ kind: 'reset' }, 'the API token is not known'), UNKNOWN],
  ['its logout has a body', logout(logoutWithBody, 'a session is open'), OPEN],
  ['its logout answers 204', logout(logoutNoContent, 'a session is open'), OPEN],
  ['it has no logout', logout(answer({ act: false, status: 404 }), 'a session is open'), OPEN],
  ['its logout redirects', logout(redirect(302, '/login'), 'a session is open'), OPEN],
  ['it logs out of sessions that have ended', logout(answer({ status: 200 })), ENDED],
  ['it answers 400 to the logout of an ended session', logout(answer({ status: 400 }), 'the session has ended'), ENDED],
  ['it serves a session that has ended', read(answer({ status: 200 })), READ_ENDED],
  ['it does not serve an open session', read(answer({ status: 403 }), 'a session is open'), READ],
  ['it has no list of sessions', at(/\/sessions$/)(answer({ act: false, status: 404 })), 'a read of the open sessions'],
  [
    'it has no list of API tokens',
    at(/\/api-tokens$/)(answer({ act: false, status: 400 })),
    'a read of the own API token',
  ],
  ['its versions are numbers', versions(versionList({ versions: [2.26] })), VERSIONS],
  ['its versions are none', versions(versionList({ versions: [] })), VERSIONS],
  ['one of its versions is not one', versions(versionList({ versions: ['2.26', '2.x'] })), VERSIONS],
  ['it is a FlashArray', versions(versionList({ version: ['1.0', '2.26'] })), VERSIONS],
  ['a proxy answers for it', versions(badAnswers.htmlAnswer(200)), VERSIONS],
];

describe('an array is caught if', () => {
  it.each(BROKEN)('%s', async (_, how, caught) => {
    const verification = await verify(pact, broken(await simulated(), how), verifier);
    expect(failedOf(pact, verification)).toEqual([caught]);
    expect(hasPassed(verification)).toBe(false);
  });

  it('it serves where it should say that it cannot', async () => {
    const simulator = await simulated();
    const target = broken(simulator, login({ kind: 'informational', statuses: [103] }));
    const handlers = { ...target.handlers, 'the array cannot serve requests': async () => ({}) };
    const verification = await verify(pact, { ...target, handlers }, verifier);
    expect(failedOf(pact, verification)).toEqual([BUSY]);
  });
});

it('a session that an array keeps although it said that it was closed is closed all the same', async () => {
  const simulator = await simulated();
  const lie = logout(answer({ act: false, status: 200, headers: {}, body: '' }), 'a session is open');
  await verify(pact, broken(simulator, lie), verifier);
  expect(simulator.history.length).toBeGreaterThan(0);
  expect(simulator.sessions()).toEqual([]);
});

describe('an array passes if', () => {
  it.each([
    ['it is as the wire protocol has it', {}],
    ['it refuses API tokens with 400', { refusedLoginStatus: 400 }],
    ['it refuses API tokens with 403', { refusedLoginStatus: 403 }],
    ['it answers 401 to auth tokens of no session', { deadSessionStatus: 401 }],
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

  it('it says more about the type of its JSON', async () => {
    const how = versions(answer({ headers: { 'content-type': 'application/json;charset=UTF-8' } }));
    expect(hasPassed(await verify(pact, broken(await simulated(), how), verifier))).toBe(true);
  });
});
