/** Calls in a session, as the renewal of a lease makes them to keep the session alive. */
import { MatchersV3 } from '@pact-foundation/pact';
import { expect, test } from 'vitest';
import type { FlashBlade } from '../../lib/core/model.ts';
import type { State } from '../states.ts';
import { interactionIn, NO_BODY, REFUSED_CALL, tokenFrom, versionedPath, withClient } from './interaction.ts';
import { LIST_VERSIONS, LOGIN, LOGOUT, loggedIn, NOW_MS, readArray, renew } from './plays.ts';
import { AUTH_TOKEN, MOCK, NEXT_AUTH_TOKEN, refusedInFront, type Step, withArray } from './tls-front.ts';

const BEGIN = [LOGIN, LIST_VERSIONS];

const renewed = async (array: FlashBlade) => {
  expect(await renew(array)).toMatchObject({ leaseId: 'job-1', expiresAt: NOW_MS / 1000 + 1800 });
};

const readIn = (state: State & ('a session is open' | 'the session has ended' | typeof BESIDE), description: string) =>
  interactionIn(state, {}, description).withRequest('GET', versionedPath('arrays', '2.26'), (call) =>
    call.headers({ 'x-auth-token': tokenFrom(state, 'authToken', AUTH_TOKEN) }).jsonBody(NO_BODY),
  );
const BESIDE = 'a session is open, and another session of its user has ended';

test('a read in the newest REST version keeps an open session alive', () =>
  readIn('a session is open', 'a read in an open session')
    .willRespondWith(200)
    .executeTest(withClient([...BEGIN, MOCK], renewed)));

test('a session stays open if another session of the same user ends', () =>
  readIn(BESIDE, 'a read in an open session beside an ended session')
    .willRespondWith(200)
    .executeTest(withClient([...BEGIN, MOCK], renewed)));

/** The lease gets a new session, in which the read is repeated. */
const afterRefusal = (refusal: Step): Step[] => [
  ...BEGIN,
  refusal,
  ['POST /api/logout', { status: 403 }],
  loggedIn(NEXT_AUTH_TOKEN),
  readArray({ status: 200, body: { items: [] } }),
];

test('a read after the session has ended is refused, and the lease gets a new session', () =>
  readIn('the session has ended', 'a read in an ended session')
    .willRespondWith(MatchersV3.matchStatus(403, REFUSED_CALL))
    .executeTest(withClient(afterRefusal(MOCK), renewed)));

test.each(REFUSED_CALL)('after a read that is refused with %i, the lease gets a new session', (status) =>
  withArray(afterRefusal(readArray({ status })), renewed),
);

test.each(REFUSED_CALL)(
  'a read that something in front of the array refuses with %i leaves the session as it is',
  (status) =>
    withArray([...BEGIN, readArray(refusedInFront(status))], async (array) => {
      await expect(renew(array)).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    }),
);

test('a read is repeated once if a connection breaks that was used before', () =>
  withArray([...BEGIN, readArray({ status: 0 }), readArray({ status: 200 })], renewed));

test('a renewal in REST 1 reads in the newest version of REST 1', () =>
  withArray(
    [
      LOGIN,
      ['GET /api/api_version', { status: 200, body: { versions: ['1.9', '1.12', '1.8.1'] } }],
      ['GET /api/1.12/arrays', { status: 200 }],
    ],
    renewed,
  ));

test('a renewal without a readable list of versions reads nothing', () =>
  withArray([LOGIN, ['GET /api/api_version', { status: 200, body: { versions: [] } }]], async (array) => {
    await expect(renew(array)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
  }));

test('a session that cannot be used for its lease is closed', () =>
  withArray(
    [['POST /api/login', { status: 200, headers: { 'x-auth-token': AUTH_TOKEN }, body: {} }], LOGOUT],
    async (array) => {
      await expect(renew(array)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
    },
  ));
