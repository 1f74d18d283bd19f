/** Message pacts: good senders pass, and a sender that is wrong in one thing is caught there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFunctions } from '../../../contracts/messages/functions.ts';
import { documentedRequests } from '../../../contracts/messages/stack.ts';
import { type MessageProvider, verifyMessages } from '../../../contracts/messages/verify.ts';
import type { MessagePact } from '../../../contracts/pact-file.ts';
import { startVerifier, type Verifier } from '../../../contracts/verification/verifier.ts';
import { dispatch } from '../../../lib/leases/dispatch.ts';
import { queueWorld } from '../../kit/memory/memory-outbox.ts';
import { API_TOKEN } from '../../kit/memory/world.ts';
import { answers, changed, eventOf, only, requests, withDetail, withType } from './message-pacts.ts';

type Change = (sent: unknown) => unknown;

let verifier: Verifier;
let functions: Awaited<ReturnType<typeof startFunctions>>;
beforeAll(async () => {
  verifier = startVerifier();
  functions = await startFunctions();
});
afterAll(async () => {
  await verifier.stop();
  await functions.stop();
});

/** Why the one interaction of the pact failed. */
async function reasonsOf(pact: MessagePact, provider: MessageProvider, change: Change = (sent) => sent) {
  const { tokens, produce } = provider;
  const altered = { tokens, produce: async (...wish: Parameters<typeof produce>) => change(await produce(...wish)) };
  const { interactions, findings } = await verifyMessages(pact, altered, verifier);
  expect(findings).toEqual([]);
  return interactions.flatMap(({ reasons }) => reasons);
}

it('what the functions send and answer, and what the documentation tells callers to send, is what the pacts say', async () => {
  expect(await reasonsOf(answers, functions)).toEqual([]);
  expect(await reasonsOf(requests, documentedRequests())).toEqual([]);
});

describe('an event that is told is caught if', () => {
  const [opened, closed, failed] = [
    'a session was opened',
    'a session was closed with its owner',
    'a session could not be opened',
  ];

  it.each<[string, string, Change, string]>([
    ['its lease id is missing', opened, (sent) => withDetail(sent, { leaseId: undefined }), 'leaseId'],
    ['its owner is missing', closed, (sent) => withDetail(sent, { owner: undefined }), 'owner'],
    ['its code is missing', failed, (sent) => withDetail(sent, { code: undefined }), 'code'],
    ['its code is none', failed, (sent) => withDetail(sent, { code: 'Error' }), "Expected 'Error' to match"],
    [
      'a number is text',
      opened,
      (sent) => withDetail(sent, { expiresAt: '1800000900' }),
      "Expected '1800000900' (String) to be an integer",
    ],
    ['a text is a number', closed, (sent) => withDetail(sent, { leaseId: 7 }), 'Expected 7 (Integer)'],
    ['its detail-type is another', opened, (sent) => withType(sent, 'Session Open'), "Expected 'Session Open'"],
    ['it comes from somebody else', opened, (sent) => ({ ...Object(sent), source: 'flashblade' }), "'flashblade'"],
    ['it has a field more', closed, (sent) => withDetail(sent, { host: 'fb1' }), 'detail.host is sent'],
    ['it has a field for a token', opened, (sent) => withDetail(sent, { authToken: 'x' }), 'detail.authToken is sent'],
    ['an API token is in it', failed, (sent) => withDetail(sent, { reason: `no ${API_TOKEN}` }), 'holds a token'],
    [
      'an auth token is in it',
      opened,
      (sent) => withDetail(sent, { username: functions.tokens().findLast((token) => token !== API_TOKEN) }),
      'holds a token',
    ],
  ])('%s', async (_, description, change, reason) => {
    const reasons = await reasonsOf(only(answers, description), functions, change);
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });

  it('a token is in it, and the token is not told, also where the verifier quotes what was sent', async () => {
    const token = 'not-of-any-known-form';
    const provider = { ...functions, tokens: () => [token] };
    const reasons = await reasonsOf(only(answers, opened), provider, (sent) =>
      withDetail(sent, { leaseId: `is ${token}` }),
    );
    expect(reasons).toEqual([
      expect.stringContaining("Expected 'is [token]' to match"),
      expect.stringContaining('holds a token'),
    ]);
  });

  it('it is never sent, though the answer to the verifier would fit', async () => {
    const refusing = { tokens: () => [], produce: () => Promise.reject(new Error('the bus is gone')) };
    const anything = changed(only(answers, opened), opened, ({ matchingRules: _, ...one }) => ({
      ...one,
      contents: { content: {}, contentType: 'application/json', encoded: false },
    }));
    expect(await reasonsOf(anything, refusing)).toEqual(['nothing was sent: the bus is gone']);
  });
});

describe('an invocation is caught if', () => {
  const [login, logout] = ['login: of a job', 'logout: at the end of a workflow'];

  it.each<[string, string, Change, string]>([
    ['a field of its result is missing', login, (sent) => ({ ...Object(sent), leaseId: undefined }), 'leaseId'],
    ['a number of its result is text', login, (sent) => ({ ...Object(sent), expiresAt: '1' }), 'to be an integer'],
    ['its outcome is another', logout, (sent) => ({ ...Object(sent), outcome: 'ENDING' }), "'ENDING'"],
    ['its result has a field for a token', login, (sent) => ({ ...Object(sent), token: 'x' }), 'token is sent'],
    ['its result holds a token', login, (sent) => ({ ...Object(sent), username: API_TOKEN }), 'holds a token'],
  ])('%s', async (_, description, change, reason) => {
    expect(await reasonsOf(only(answers, description), functions, change)).toEqual([expect.stringContaining(reason)]);
  });

  it.each<[string, string, object, string]>([
    ['names a host', login, { array: 'fb1', host: 'fb1.example.com' }, 'has an unknown field: host'],
    ['is without a lease id', logout, {}, 'leaseId must be'],
    [
      'has a number as text',
      'renew: of work that lasts',
      { leaseId: 'nightly-7', expiresAt: '1800001800' },
      'expiresAt must be a whole number',
    ],
    ['names a list of nothing', 'check-fleet: of arrays that are named', { arrays: [] }, 'arrays must be a list'],
  ])('its input %s: the function refuses it', async (_, description, content, rule) => {
    const pact = changed(only(answers, description), description, (one) => ({
      ...one,
      request: { ...one.request, contents: { content, contentType: 'application/json', encoded: false } },
    }));
    const reasons = await reasonsOf(pact, functions);
    expect(reasons).toEqual([expect.stringMatching(`^nothing was sent: .*${rule}`)]);
  });

  it('nobody takes it', async () => {
    const pact = changed(only(answers, login), login, (one) => ({ ...one, description: 'log-in: of a job' }));
    expect(await reasonsOf(pact, functions)).toEqual([expect.stringContaining('nobody sends "log-in: of a job"')]);
  });
});

describe('an event that asks for something is caught, where it is sent and where it is handled, if', () => {
  const [asked, released] = ['a session is requested, for an owner and a time', 'a session is released'];
  // The verifier of a pact lets a field pass that it does not name: that one is ours to find.
  it.each<[string, string, Change, string, string]>([
    [
      'its array is missing',
      asked,
      (sent) => withDetail(sent, { array: undefined }),
      'array',
      'array must be the name of an array',
    ],
    [
      'its lease id is missing',
      released,
      (sent) => withDetail(sent, { leaseId: undefined }),
      'leaseId',
      'must have either leaseId or owner',
    ],
    [
      'a number is text',
      asked,
      (sent) => withDetail(sent, { leaseSeconds: '1800' }),
      'to be an integer',
      'leaseSeconds must be a whole number',
    ],
    [
      'a text is a number',
      released,
      (sent) => withDetail(sent, { leaseId: 7 }),
      'Expected 7 (Integer)',
      'leaseId must be',
    ],
    [
      'its detail-type is another',
      released,
      (sent) => withType(sent, 'Session Ended'),
      "Expected 'Session Ended'",
      'detail-type is not one that this queue handles',
    ],
    [
      'a token is in it',
      asked,
      (sent) => withDetail(sent, { apiToken: API_TOKEN }),
      'detail.apiToken is sent',
      'has an unknown field: apiToken',
    ],
  ])('%s', async (_, description, change, reason, rule) => {
    const reasons = await reasonsOf(only(requests, description), documentedRequests(), change);
    expect(reasons[0]).toContain(reason);

    const { w, outbox, published, letters } = queueWorld();
    const body = JSON.stringify(change(eventOf(requests, description)));
    await dispatch(w.ports, outbox, { messageId: 'message-7', body }, w.deadline());
    expect(published).toMatchObject([
      { type: 'failed', detail: { code: 'REQUEST_INVALID', reason: expect.stringContaining(rule) } },
    ]);
    expect(JSON.stringify([published, letters, w.reports])).not.toContain(API_TOKEN);
    expect(letters).toHaveLength(1);
    expect(w.live.size).toBe(0);
  });

  it('the rule does not let it through, or the documentation has no example of it', async () => {
    const pact = only(requests, released);
    const narrow = documentedRequests(undefined, ['Session Requested']);
    expect(await reasonsOf(pact, narrow)).toEqual([expect.stringContaining('lets no event with this detail-type')]);
    expect(await reasonsOf(pact, documentedRequests(''))).toEqual([expect.stringContaining('has no example')]);
  });
});
