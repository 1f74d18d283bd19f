import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { authToken } from '../../lib/core/model.ts';
import { request } from '../../lib/flashblade/client.ts';
import { interactionIn, sessionUser, tokenFrom, versionedPath, withClient } from './interaction.ts';

const AUTH_TOKEN = '0f4a1d8e-7c2b-4b55-9d0e-3a6f5b2c1e90';
const READ = { method: 'GET', path: '/api/2.26/arrays' } as const;

test('a read in an open session succeeds, which keeps the session alive', () =>
  interactionIn('a session is open', {}, 'a read in an open session')
    .withRequest('GET', versionedPath('arrays', '2.26'), (call) =>
      call.headers({ 'x-auth-token': tokenFrom('a session is open', 'authToken', AUTH_TOKEN) }),
    )
    .willRespondWith(200)
    .executeTest(
      withClient(async (array) => {
        const session = { array, authToken: authToken(AUTH_TOKEN), username: 'pureuser' };
        expect((await request(session, READ)).status).toBe(200);
      }),
    ));

test('a read after the session has ended is refused, which triggers a relogin', () =>
  interactionIn('the session has ended', {}, 'a read in an ended session')
    .withRequest('GET', versionedPath('arrays', '2.26'), (call) =>
      call.headers({ 'x-auth-token': tokenFrom('the session has ended', 'authToken', AUTH_TOKEN) }),
    )
    .willRespondWith(MatchersV3.matchStatus(403, [401, 403]))
    .executeTest(
      withClient(async (array) => {
        const session = { array, authToken: authToken(AUTH_TOKEN), username: 'pureuser' };
        expect((await request(session, READ)).status).toBe(403);
      }),
    ));

// The array returns these lists only to users with the required permission. The client also works without the lists.
test.each([
  [
    "a read of the user's own API token",
    'admins/api-tokens',
    { admin_names: 'pureuser' },
    { admin_names: sessionUser('pureuser') },
  ],
  [
    'a read of the open sessions',
    'sessions',
    { filter: 'end_time=0', limit: '1000' },
    { filter: 'end_time=0', limit: '1000' },
  ],
])('%s succeeds, or is refused if the user lacks the permission', (description, rest, query, pinned) =>
  interactionIn('a session is open', {}, description)
    .withRequest('GET', versionedPath(rest, '2.26'), (call) =>
      call.query(pinned).headers({ 'x-auth-token': tokenFrom('a session is open', 'authToken', AUTH_TOKEN) }),
    )
    .willRespondWith(MatchersV3.matchStatus(200, [200, 401, 403]))
    .executeTest(
      withClient(async (array) => {
        const session = { array, authToken: authToken(AUTH_TOKEN), username: 'pureuser' };
        expect((await request(session, { method: 'GET', path: `/api/2.26/${rest}`, query })).status).toBe(200);
      }),
    ),
);
