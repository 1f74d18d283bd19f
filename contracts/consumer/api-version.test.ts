import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import { apiVersions } from '../../lib/flashblade/client.ts';
import { interaction, JSON_TYPE, withClient } from './interaction.ts';

test('an array returns its REST versions without a login, as strings of two or three numbers', () =>
  interaction('a request for the API versions')
    .withRequest('GET', '/api/api_version')
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
              rules: [MatchersV3.like('2.26'), MatchersV3.regex('^\\d+(\\.\\d+){1,2}$', '2.26')],
            },
          ],
        }),
    )
    .executeTest(
      withClient(async (array) => {
        expect(await apiVersions(array)).toEqual(['2.26']);
      }),
    ));
