/** Arrays that break the contract in one way each. The verification must fail exactly the interaction that is broken. */
import { afterAll, describe, expect, it } from 'vitest';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { startVerifier } from '../../../contracts/verification/verifier.ts';
import { hasPassed, verify } from '../../../contracts/verification/verify.ts';
import { compareVersions } from '../../../lib/flashblade/client.ts';
import type { RequestFault } from '../../../simulator/faults.ts';
import { badAnswers, DEFAULT_VERSIONS } from '../../../simulator/index.ts';
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

const MAY_LIST = 'a session of a user who may list is open';
const STATE_BESIDE = 'a session is open, and another session of its user has ended';
const IDLE = 'a read of the idle timeout';
const TOKENS = "a read of the user's own API token";
const EXPIRY = "a read of the expiry of the user's own API token";
const SESSIONS = 'a read of the open sessions';
const BESIDE = 'a read in an open session beside an ended session';

/** A list with this one item, in the state in which the user may read it. */
const items = (list: string, ...all: unknown[]): Break => ({
  fault: { ...answer({ body: JSON.stringify({ items: all }) }), path: new RegExp(`/${list}$`) },
  only: MAY_LIST,
});
/** The user of the simulator's states that concern lists. */
const USER = 'lister';
const item = { user: USER, user_interface: 'REST', start_time: 1_800_000_000_000, end_time: 0 };
const expiring = (expires_at: unknown): Break => ({
  ...items('api-tokens', { admin: { name: USER }, api_token: { expires_at } }),
  only: 'a session of a user whose API token expires is open',
});

const BROKEN: [string, Break, ...string[]][] = [
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
  ['it refuses a read after another session ended', read(answer({ status: 403 }), STATE_BESIDE), BESIDE],
  ['it has no list of sessions', at(/\/sessions$/)(answer({ act: false, status: 404 })), SESSIONS],
  ['it has no list of API tokens', at(/\/api-tokens$/)(answer({ act: false, status: 400 })), EXPIRY, TOKENS],
  ['its idle timeout is missing', items('arrays', { name: 'fb1' }), IDLE],
  ['its idle timeout is text', items('arrays', { idle_timeout: '1800000' }), IDLE],
  ['its idle timeout is in seconds', items('arrays', { idle_timeout: 1800 }), IDLE],
  ['its idle timeout is not in a list', at(/\/arrays$/)(answer({ body: '{"idle_timeout":0}' }), MAY_LIST), IDLE],
  ['its list of arrays is empty', items('arrays'), IDLE],
  ['its list of arrays is not JSON', at(/\/arrays$/)(answer({ body: 'items' }), MAY_LIST), IDLE],
  ['its list of API tokens is empty', items('api-tokens'), TOKENS],
  ['its API tokens have no owner', items('api-tokens', { api_token: {} }), TOKENS],
  ['its API tokens name the owner elsewhere', items('api-tokens', { name: USER, api_token: {} }), TOKENS],
  ['the owner of an API token is a number', items('api-tokens', { admin: { name: 7 }, api_token: {} }), TOKENS],
  ['its list of API tokens has only their owners', items('api-tokens', { admin: { name: USER } }), TOKENS],
  ['the expiry of its API token is missing', expiring(undefined), EXPIRY],
  ['the expiry of its API token is in seconds', expiring(1_800_000_000), EXPIRY],
  ['the expiry of its API token is text', expiring('2027-01-15T08:00:00Z'), EXPIRY],
  ['its API tokens are those of other users', items('api-tokens', { admin: { name: 'u' }, api_token: {} }), TOKENS],
  ['its sessions are those of other users', items('sessions', { ...item, user: 'u' }), SESSIONS],
  ['its list of sessions is empty', items('sessions'), SESSIONS],
  ['its sessions have no user', items('sessions', { ...item, user: undefined }), SESSIONS],
  ['its sessions name an object as their user', items('sessions', { ...item, user: { name: USER } }), SESSIONS],
  ['its sessions have another interface', items('sessions', { ...item, user_interface: 'rest' }), SESSIONS],
  ['its sessions have no interface', items('sessions', { ...item, user_interface: undefined }), SESSIONS],
  ['its sessions begin in seconds', items('sessions', { ...item, start_time: 1_800_000_000 }), SESSIONS],
  ['its sessions begin as text', items('sessions', { ...item, start_time: '1800000000000' }), SESSIONS],
  ['its open sessions have no end', items('sessions', { ...item, end_time: undefined }), SESSIONS],
  ['its open sessions end with null', items('sessions', { ...item, end_time: null }), SESSIONS],
  ['its list has only ended sessions', items('sessions', { ...item, end_time: 1_800_000_000_000 }), SESSIONS],
  ['its list has only sessions of other interfaces', items('sessions', { ...item, user_interface: 'GUI' }), SESSIONS],
  ['its versions are numbers', versions(versionList({ versions: [2.26] })), VERSIONS],
  ['its list of versions is empty', versions(versionList({ versions: [] })), VERSIONS],
  ['one of its versions is malformed', versions(versionList({ versions: ['2.26', '2.x'] })), VERSIONS],
  ['it is a FlashArray', versions(versionList({ version: ['1.0', '2.26'] })), VERSIONS],
  ['a proxy responds in its place', versions(badAnswers.htmlAnswer(200)), VERSIONS],
];

describe('an array fails the verification if', () => {
  it.each(BROKEN)('%s', async (_, how, ...caught) => {
    const verification = await verify(pact, broken(await simulated(), how), verifier);
    expect(failedOf(pact, verification)).toEqual(caught);
    expect(hasPassed(verification)).toBe(false);
  });

  it('it serves a request in the state in which it must fail', async () => {
    const simulator = await simulated();
    const target = broken(simulator, login({ kind: 'informational', statuses: [103] }));
    const handlers = { ...target.handlers, 'the array cannot serve requests': async () => ({}) };
    const verification = await verify(pact, { ...target, handlers }, verifier);
    expect(failedOf(pact, verification)).toEqual([BUSY]);
  });

  it.each([500, 502, 504])('it returns %i while it cannot serve requests', async (status) => {
    const simulator = await simulated();
    const target = simulatorTarget(simulator);
    const outage = async () => {
      simulator.faults.add(answer({ act: false, status, headers: {}, body: '' }));
      return {};
    };
    const handlers = { ...target.handlers, 'the array cannot serve requests': outage };
    const reset = async () => simulator.faults.clear();
    const verification = await verify(pact, { ...target, handlers, reset }, verifier);
    expect(failedOf(pact, verification)).toEqual([BUSY]);
  });

  it('it lets a user read every list, although the user may read none', async () => {
    const target = simulatorTarget(await simulated());
    const handlers = { ...target.handlers, 'a session of a user who may not list is open': target.handlers[MAY_LIST] };
    const verification = await verify(pact, { ...target, handlers }, verifier);
    expect(failedOf(pact, verification)).toEqual([IDLE, SESSIONS, TOKENS].map((name) => `${name} without permission`));
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

  it.each([
    ['2.2', '2.3', 2],
    ['1.12', '2.0', 7],
  ])('its newest REST version is %s, in which the client does not read what is new in %s', async (newest, _, count) => {
    const versions = DEFAULT_VERSIONS.filter((one) => compareVersions(one, newest) <= 0);
    const target = simulatorTarget(await simulated({ versions }), versions);
    const verification = await verify(pact, target, verifier);
    expect(verification.interactions.flatMap(({ reasons }) => reasons)).toEqual([]);
    const skipped = verification.interactions.flatMap((one) => one.skipped ?? []);
    expect([hasPassed(verification), skipped.length]).toEqual([true, count]);
    expect(skipped[0]).toMatch(new RegExp(`only to arrays with REST 2\\.[03] or newer, and this array has ${newest}$`));
  });

  it('its content type for JSON has a parameter', async () => {
    const how = versions(answer({ headers: { 'content-type': 'application/json;charset=UTF-8' } }));
    expect(hasPassed(await verify(pact, broken(await simulated(), how), verifier))).toBe(true);
  });
});
