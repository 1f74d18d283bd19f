import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { authToken, type FlashBlade, type Session } from '../../lib/core/model.ts';
import { logoutWithHttpInfo } from '../../lib/flashblade/client.ts';
import { interactionIn, NO_BODY, tokenFrom, withClient } from './interaction.ts';

const AUTH_TOKEN = '0f4a1d8e-7c2b-4b55-9d0e-3a6f5b2c1e90';

const sessionOn = (array: FlashBlade): Session => ({
  array,
  authToken: authToken(AUTH_TOKEN),
  username: 'pureuser',
});

test('a logout closes an open session, and its response has no body', () =>
  interactionIn('a session is open', {}, 'a logout of an open session')
    .withRequest('POST', '/api/logout', (request) =>
      request.headers({ 'x-auth-token': tokenFrom('a session is open', 'authToken', AUTH_TOKEN) }).jsonBody(NO_BODY),
    )
    .willRespondWith(200, (response) => response.jsonBody(NO_BODY))
    .executeTest(
      withClient(async (array) => {
        expect((await logoutWithHttpInfo(sessionOn(array))).status).toBe(200);
      }),
    ));

test('logging out of an ended session succeeds', () =>
  interactionIn('the session has ended', {}, 'a logout of an ended session')
    .withRequest('POST', '/api/logout', (request) =>
      request
        .headers({ 'x-auth-token': tokenFrom('the session has ended', 'authToken', AUTH_TOKEN) })
        .jsonBody(NO_BODY),
    )
    .willRespondWith(MatchersV3.matchStatus(403, [401, 403]))
    .executeTest(
      withClient(async (array) => {
        expect((await logoutWithHttpInfo(sessionOn(array))).status).toBe(403);
      }),
    ));
