import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { apiToken } from '../../lib/core/model.ts';
import { login } from '../../lib/flashblade/client.ts';
import { anyToken, interactionIn, JSON_TYPE, NO_BODY, someName, tokenFrom, withClient } from './interaction.ts';

const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';
const AUTH_TOKEN = '0f4a1d8e-7c2b-4b55-9d0e-3a6f5b2c1e90';

test('a login with a valid API token opens a session for the user who owns the token', () =>
  interactionIn('an API token is valid', { username: 'pureuser' }, 'a login with a valid API token')
    .withRequest('POST', '/api/login', (request) =>
      request.headers({ 'api-token': tokenFrom('an API token is valid', 'apiToken', API_TOKEN) }).jsonBody(NO_BODY),
    )
    .willRespondWith(200, (response) =>
      response
        .headers({ ...JSON_TYPE, 'x-auth-token': anyToken(AUTH_TOKEN) })
        .jsonBody({ username: someName('pureuser') }),
    )
    .executeTest(
      withClient(async (array) => {
        const session = await login(array, apiToken(API_TOKEN));
        expect([session.username, session.authToken.reveal()]).toEqual(['pureuser', AUTH_TOKEN]);
      }),
    ));

test('a login with an unknown API token is refused', () =>
  interactionIn('the API token is not known', {}, 'a login with an unknown API token')
    .withRequest('POST', '/api/login', (request) =>
      request
        .headers({ 'api-token': tokenFrom('the API token is not known', 'apiToken', API_TOKEN) })
        .jsonBody(NO_BODY),
    )
    .willRespondWith(MatchersV3.matchStatus(401, [400, 401, 403]))
    .executeTest(
      withClient(async (array) => {
        await expect(login(array, apiToken(API_TOKEN))).rejects.toMatchObject({
          code: 'LOGIN_REFUSED',
          facts: { mayHaveOpened: false },
        });
      }),
    ));

test('a login that the array cannot serve opens no session and fails with ARRAY_BUSY', () =>
  interactionIn('the array cannot serve requests', {}, 'a login while the array cannot serve requests')
    .withRequest('POST', '/api/login', (request) =>
      request.headers({ 'api-token': anyToken(API_TOKEN) }).jsonBody(NO_BODY),
    )
    .willRespondWith(MatchersV3.matchStatus(503, MatchersV3.HTTPResponseStatusClass.ServerError))
    .executeTest(
      withClient(async (array) => {
        await expect(login(array, apiToken(API_TOKEN))).rejects.toMatchObject({
          code: 'ARRAY_BUSY',
          facts: { status: 503, mayHaveOpened: false },
        });
      }),
    ));
