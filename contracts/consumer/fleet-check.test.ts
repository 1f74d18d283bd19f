/** What an array reports about itself, as the fleet check reads it. */
import { MatchersV3 } from '@pact-foundation/pact';
import { describe, expect, test } from 'vitest';
import type { FlashBlade } from '../../lib/core/model.ts';
import type { ListParameters, ListState } from '../states.ts';
import {
  interaction,
  interactionIn,
  JSON_TYPE,
  milliseconds,
  NO_BODY,
  REFUSED_CALL,
  sessionUser,
  tokenFrom,
  typed,
  versionedPath,
  withClient,
} from './interaction.ts';
import {
  checkFleet,
  checkScript,
  IDLE_MS,
  NOW_MS,
  OWN_SESSION,
  TOKEN_DAYS,
  TOKEN_ENDS_AT_MS,
  USERNAME,
  VERSIONS,
} from './plays.ts';
import { AUTH_TOKEN, MOCK, type Reply, refusedInFront, withArray } from './tls-front.ts';

const HEALTHY = { array: 'fb1', state: 'healthy', warnings: [] };

/** The check must find this, and nothing else. */
const reports = (found: object) => async (array: FlashBlade) => {
  expect(await checkFleet(array)).toEqual({ ...HEALTHY, ...found });
};

test('an array returns its REST versions without a login, as strings of two or three numbers', () =>
  interaction('a request for the API versions')
    .withRequest('GET', '/api/api_version', (request) => request.jsonBody(NO_BODY))
    .willRespondWith(200, (response) =>
      response
        .headers(JSON_TYPE)
        .jsonBody({ versions: ['2.26'] })
        .matchingRules({
          body: [
            { path: '$.versions', rules: [MatchersV3.atLeastOneLike('2.26')] },
            // A regex alone would also accept the number 2.26.
            {
              path: '$.versions[*]',
              rules: [MatchersV3.like('2.26'), MatchersV3.regex('^\\d{1,5}(\\.\\d{1,5}){1,2}$', '2.26')],
            },
          ],
        }),
    )
    .executeTest(withClient(checkScript('versions', MOCK), reports({ unknownSessions: 0 }))));

const ARRAYS = { list: 'arrays', since: '2.0' } as const;
const API_TOKENS = { list: 'admins/api-tokens', since: '2.0' } as const;
const SESSIONS = { list: 'sessions', since: '2.3' } as const;
type Query = Readonly<Record<string, string | ReturnType<typeof sessionUser>>>;
const OWN: Query = { admin_names: sessionUser(USERNAME) };
const ACTIVE: Query = { filter: 'end_time=0', limit: '1000' };

const read = (state: ListState, parameters: ListParameters, description: string, query: Query = {}) =>
  interactionIn(state, parameters, description).withRequest('GET', versionedPath(parameters.list, '2.26'), (call) =>
    call
      .query({ ...query })
      .headers({ 'x-auth-token': tokenFrom(state, 'authToken', AUTH_TOKEN) })
      .jsonBody(NO_BODY),
  );

describe('a user who may list', () => {
  const MAY = 'a session of a user who may list is open';

  test('reads the idle timeout of the array in milliseconds', () =>
    read(MAY, ARRAYS, 'a read of the idle timeout')
      .willRespondWith(200, (response) =>
        response.headers(JSON_TYPE).jsonBody({
          items: MatchersV3.eachLike({ idle_timeout: typed('^(0|[3-9]\\d{5}|[1-9]\\d{6}|10\\d{6})$', IDLE_MS) }),
        }),
      )
      .executeTest(
        withClient(
          checkScript('arrays', MOCK),
          reports({ unknownSessions: 0, warnings: [expect.stringContaining('is 3600 s')] }),
        ),
      ));

  test('reads their own API token', () =>
    read(MAY, API_TOKENS, "a read of the user's own API token", OWN)
      .willRespondWith(200, (response) =>
        response.headers(JSON_TYPE).jsonBody({
          items: MatchersV3.arrayContaining({
            admin: { name: typed('^.+$', USERNAME) },
            api_token: MatchersV3.like({}),
          }),
        }),
      )
      .executeTest(withClient(checkScript('admins/api-tokens', MOCK), reports({ unknownSessions: 0 }))));

  test('reads when their own API token expires, in milliseconds', () =>
    read(
      'a session of a user whose API token expires is open',
      API_TOKENS,
      "a read of the expiry of the user's own API token",
      OWN,
    )
      .willRespondWith(200, (response) =>
        response.headers(JSON_TYPE).jsonBody({
          items: MatchersV3.arrayContaining({
            admin: { name: typed('^.+$', USERNAME) },
            api_token: { expires_at: milliseconds(TOKEN_ENDS_AT_MS) },
          }),
        }),
      )
      .executeTest(
        withClient(
          checkScript('admins/api-tokens', MOCK),
          reports({
            unknownSessions: 0,
            apiTokenDays: TOKEN_DAYS,
            warnings: [
              `the API token for user ${USERNAME} expires in 5 days. Create a new token and store it in the secret`,
            ],
          }),
        ),
      ));

  test('reads the open sessions, which include their own', () =>
    read(MAY, SESSIONS, 'a read of the open sessions', ACTIVE)
      .willRespondWith(200, (response) =>
        response.headers(JSON_TYPE).jsonBody({
          items: MatchersV3.arrayContaining({
            user: typed('^.+$', USERNAME),
            user_interface: MatchersV3.equal('REST'),
            start_time: milliseconds(NOW_MS),
            end_time: MatchersV3.equal(0),
          }),
        }),
      )
      .executeTest(withClient(checkScript('sessions', MOCK), reports({ unknownSessions: 0 }))));
});

describe('a user who may not list', () => {
  const MAY_NOT = 'a session of a user who may not list is open';

  test.each([
    [ARRAYS, 'a read of the idle timeout without permission', {}, { unknownSessions: 0 }],
    [API_TOKENS, "a read of the user's own API token without permission", OWN, { unknownSessions: 0 }],
    [SESSIONS, 'a read of the open sessions without permission', ACTIVE, {}],
  ])('is refused, and the array is healthy: %j', async (parameters, description, query, found) => {
    await read(MAY_NOT, parameters, description, query)
      .willRespondWith(MatchersV3.matchStatus(403, REFUSED_CALL))
      .executeTest(withClient(checkScript(parameters.list, MOCK), reports(found)));
    for (const status of REFUSED_CALL) await withArray(checkScript(parameters.list, { status }), reports(found));
  });
});

/** Sessions that the check must not count, all of them older than its own. */
const EARLIER = { ...OWN_SESSION, start_time: NOW_MS - 3_600_000 };
const OTHERS = [
  { ...EARLIER, end_time: NOW_MS - 1000 },
  { ...EARLIER, user_interface: 'GUI' },
  { ...EARLIER, user: 'another' },
  { event: 'login attempt', user: USERNAME },
];

test('the check reads every page of the open sessions, and counts only REST sessions of its user that are open', () =>
  withArray(
    checkScript('sessions', { status: 200, body: { items: OTHERS, continuation_token: 'next page' } }).flatMap(
      (step) =>
        step !== MOCK && step[0].includes('/sessions?')
          ? [step, [`${step[0]}&continuation_token=next%20page`, { status: 200, body: { items: [OWN_SESSION] } }]]
          : [step],
    ),
    reports({ unknownSessions: 0 }),
  ));

test('a session of the user that is not in the ledger is unknown', () =>
  withArray(
    checkScript('sessions', { status: 200, body: { items: [EARLIER, OWN_SESSION] } }),
    reports({ unknownSessions: 1, warnings: [expect.stringContaining('1 active REST session for user pureuser')] }),
  ));

test.each<[Reply, string]>([
  [{ status: 200, body: { version: ['1.0', '2.26'] } }, 'ARRAY_UNSUPPORTED'],
  [{ status: 200, body: { versions: [2.26] } }, 'ANSWER_INVALID'],
  [{ status: 200, body: { versions: ['2.26', 'next'] } }, 'ANSWER_INVALID'],
  [{ status: 404, body: VERSIONS }, 'ANSWER_INVALID'],
  [{ status: 503 }, 'ARRAY_BUSY'],
  [refusedInFront(403), 'ARRAY_UNREACHABLE'],
])('an array that responds to the request for its versions with %j gets no login', (reply, code) =>
  withArray([['GET /api/api_version', reply]], async (array) => {
    expect(await checkFleet(array)).toMatchObject({ state: 'unhealthy', failure: { code } });
  }),
);

test.each<[Reply, string]>([
  [{ status: 429 }, 'ARRAY_BUSY'],
  [{ status: 500 }, 'ARRAY_BUSY'],
  [refusedInFront(403), 'ARRAY_UNREACHABLE'],
])('a check whose read fails with %j ends with a logout', (reply, code) =>
  withArray(
    checkScript('arrays', reply).filter((step) => step !== MOCK && !/api-tokens|sessions/.test(step[0])),
    async (array) => {
      expect(await checkFleet(array)).toMatchObject({ state: 'unhealthy', failure: { code } });
    },
  ),
);

test.each<[string, Reply]>([
  ['another status', { status: 404, body: { items: [] } }],
  ['no items', { status: 200, body: {} }],
])('a list with %s is a warning', (_, reply) =>
  withArray(
    checkScript('sessions', reply),
    reports({ warnings: [`the array returned ${reply.status} for GET /api/2.26/sessions instead of a list`] }),
  ),
);

test('in REST 2.2, the check does not read the sessions', () =>
  withArray(
    [
      ['GET /api/api_version', { status: 200, body: { versions: ['2.2', '1.12'] } }],
      ...checkScript('sessions', MOCK)
        .filter((step) => step !== MOCK)
        .slice(1)
        .map(([line, reply]) => [line.replace('2.26', '2.2'), reply] as const),
    ],
    reports({}),
  ));

test('in REST 1, the check only logs in and out', () =>
  withArray(
    [
      ['GET /api/api_version', { status: 200, body: { versions: ['1.8.1', '1.12'] } }],
      ...checkScript('sessions', MOCK).filter((step) => step !== MOCK && step[0].startsWith('POST')),
    ],
    reports({}),
  ));
