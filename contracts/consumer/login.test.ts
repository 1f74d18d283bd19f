import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { apiToken, type FlashBlade, type Trust } from '../../lib/core/model.ts';
import { apiVersions, login } from '../../lib/flashblade/client.ts';
import { createAuthority } from '../../simulator/certificates.ts';
import {
  anyToken,
  BUSY_LOGIN,
  interactionIn,
  JSON_TYPE,
  NO_BODY,
  REFUSED_LOGIN,
  tokenFrom,
  typed,
  withClient,
} from './interaction.ts';
import { LIST_VERSIONS } from './plays.ts';
import { API_TOKEN, AUTH_TOKEN, MOCK, type Reply, refusedInFront, type Step, withArray } from './tls-front.ts';

const logIn = (array: FlashBlade) => login(array, apiToken(API_TOKEN));

test('a login with a valid API token opens a session for the user who owns the token', () =>
  interactionIn('an API token is valid', {}, 'a login with a valid API token')
    .withRequest('POST', '/api/login', (request) =>
      request.headers({ 'api-token': tokenFrom('an API token is valid', 'apiToken', API_TOKEN) }).jsonBody(NO_BODY),
    )
    .willRespondWith(200, (response) =>
      response
        .headers({ ...JSON_TYPE, 'x-auth-token': anyToken(AUTH_TOKEN) })
        .jsonBody({ username: typed('^.{1,256}$', 'pureuser') }),
    )
    .executeTest(
      withClient([MOCK], async (array) => {
        const session = await logIn(array);
        expect([session.username, session.authToken.reveal()]).toEqual(['pureuser', AUTH_TOKEN]);
      }),
    ));

const refused = async (array: FlashBlade) => {
  await expect(logIn(array)).rejects.toMatchObject({ code: 'LOGIN_REFUSED', facts: { mayHaveOpened: false } });
};

test('a login with an unknown API token is refused', () =>
  interactionIn('the API token is not known', {}, 'a login with an unknown API token')
    .withRequest('POST', '/api/login', (request) =>
      request
        .headers({ 'api-token': tokenFrom('the API token is not known', 'apiToken', API_TOKEN) })
        .jsonBody(NO_BODY),
    )
    .willRespondWith(MatchersV3.matchStatus(401, REFUSED_LOGIN))
    .executeTest(withClient([MOCK], refused)));

test.each(REFUSED_LOGIN)('a login that is refused with %i opened no session', (status) =>
  withArray([['POST /api/login', { status }]], refused),
);

const busy = async (array: FlashBlade) => {
  await expect(logIn(array)).rejects.toMatchObject({ code: 'ARRAY_BUSY', facts: { mayHaveOpened: false } });
};

test('a login that the array cannot serve opens no session and fails with ARRAY_BUSY', () =>
  interactionIn('the array cannot serve requests', {}, 'a login while the array cannot serve requests')
    .withRequest('POST', '/api/login', (request) => request.headers({ 'api-token': API_TOKEN }).jsonBody(NO_BODY))
    .willRespondWith(MatchersV3.matchStatus(503, BUSY_LOGIN))
    .executeTest(withClient([MOCK], busy)));

test.each(BUSY_LOGIN)('a login that the array cannot serve with %i opened no session', (status) =>
  withArray([['POST /api/login', { status }]], busy),
);

test.each([500, 502, 504])(
  'a login that fails with %i, which no interaction admits, may have opened a session',
  (status) =>
    withArray([['POST /api/login', { status }]], async (array) => {
      await expect(logIn(array)).rejects.toMatchObject({ code: 'ANSWER_INVALID', facts: { mayHaveOpened: true } });
    }),
);

const OPENED = { 'x-auth-token': AUTH_TOKEN };
const USER = { username: 'pureuser' };
const LOGOUT: Step = ['POST /api/logout', { status: 200 }];

test.each<[string, Reply, readonly Step[], boolean]>([
  ['status 201', { status: 201, headers: OPENED, body: USER }, [LOGOUT], false],
  ['no auth token', { status: 200, body: USER }, [], true],
  ['no username', { status: 200, headers: OPENED, body: {} }, [LOGOUT], false],
  ['a redirect', { status: 307, headers: { location: '/api/login' } }, [], true],
])('a response to a login with %s opens no session, and a session that it opened is closed', (_, reply, then, left) =>
  withArray([['POST /api/login', reply], ...then], async (array) => {
    await expect(logIn(array)).rejects.toMatchObject({ code: 'ANSWER_INVALID', facts: { mayHaveOpened: left } });
  }),
);

test.each(REFUSED_LOGIN)(
  'a login that something in front of the array refuses with %i says nothing about the API token',
  (status) =>
    withArray([['POST /api/login', refusedInFront(status)]], async (array) => {
      await expect(logIn(array)).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { mayHaveOpened: false } });
    }),
);

test('a login whose connection breaks is not repeated, even on a connection that was used before', () =>
  withArray([LIST_VERSIONS, ['POST /api/login', { status: 0 }]], async (array) => {
    await apiVersions(array);
    await expect(logIn(array)).rejects.toMatchObject({ facts: { mayHaveOpened: true } });
  }));

test('a server that is not trusted receives no request', async () => {
  const { certificate: ca } = await createAuthority();
  const others: Trust[] = [
    { kind: 'ca', ca },
    { kind: 'fingerprints', fingerprints: ['ab'.repeat(32)] },
  ];
  for (const trust of others)
    await withArray([], async (array) => {
      await expect(logIn({ ...array, trust })).rejects.toMatchObject({ code: 'ARRAY_UNTRUSTED' });
    });
});
