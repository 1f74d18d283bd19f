import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { apiToken, authToken, type FlashBlade } from '../../lib/core/model.ts';
import { apiVersions, logoutWithHttpInfo } from '../../lib/flashblade/client.ts';
import { interactionIn, NO_BODY, REFUSED_CALL, tokenFrom, withClient } from './interaction.ts';
import { LIST_VERSIONS } from './plays.ts';
import { API_TOKEN, AUTH_TOKEN, MOCK, refusedInFront, withArray } from './tls-front.ts';

/** A session after a login, which also has the API token. */
const logOut = (array: FlashBlade) =>
  logoutWithHttpInfo({
    array,
    authToken: authToken(AUTH_TOKEN),
    apiToken: apiToken(API_TOKEN),
    username: 'pureuser',
  });

test('a logout closes an open session, and its response has no body', () =>
  interactionIn('a session is open', {}, 'a logout of an open session')
    .withRequest('POST', '/api/logout', (request) =>
      request.headers({ 'x-auth-token': tokenFrom('a session is open', 'authToken', AUTH_TOKEN) }).jsonBody(NO_BODY),
    )
    .willRespondWith(200, (response) => response.jsonBody(NO_BODY))
    .executeTest(
      withClient([MOCK], async (array) => {
        expect((await logOut(array)).status).toBe(200);
      }),
    ));

test('logging out of an ended session succeeds', () =>
  interactionIn('the session has ended', {}, 'a logout of an ended session')
    .withRequest('POST', '/api/logout', (request) =>
      request
        .headers({ 'x-auth-token': tokenFrom('the session has ended', 'authToken', AUTH_TOKEN) })
        .jsonBody(NO_BODY),
    )
    .willRespondWith(MatchersV3.matchStatus(403, REFUSED_CALL))
    .executeTest(
      withClient([MOCK], async (array) => {
        expect((await logOut(array)).status).toBe(403);
      }),
    ));

test.each(REFUSED_CALL)('a logout that is refused with %i shows that the session has ended', (status) =>
  withArray([['POST /api/logout', { status }]], async (array) => {
    expect((await logOut(array)).status).toBe(status);
  }),
);

test.each([
  [200, { items: [] }, 'ANSWER_INVALID'],
  [204, undefined, 'ANSWER_INVALID'],
  [400, undefined, 'ANSWER_INVALID'],
  [429, undefined, 'ARRAY_BUSY'],
  [500, undefined, 'ARRAY_BUSY'],
  [503, undefined, 'ARRAY_BUSY'],
])('a logout does not close a session if the array returns %i with %j', (status, body, code) =>
  withArray([['POST /api/logout', { status, body }]], async (array) => {
    await expect(logOut(array)).rejects.toMatchObject({ code });
  }),
);

test.each(REFUSED_CALL)(
  'a logout does not close a session if something in front of the array refuses it with %i',
  (status) =>
    withArray([['POST /api/logout', refusedInFront(status)]], async (array) => {
      await expect(logOut(array)).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    }),
);

test('a logout is repeated once if a connection breaks that was used before', () =>
  withArray(
    [LIST_VERSIONS, ['POST /api/logout', { status: 0 }], ['POST /api/logout', { status: 403 }]],
    async (array) => {
      await apiVersions(array);
      expect((await logOut(array)).status).toBe(403);
    },
  ));
