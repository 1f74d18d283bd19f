/** Verification of message pacts: correct providers pass, and a provider with one mistake fails for exactly this mistake. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFunctions } from '../../../contracts/messages/functions.ts';
import { documentedRequests } from '../../../contracts/messages/stack.ts';
import { type MessageProvider, verifyMessages } from '../../../contracts/messages/verify.ts';
import type { MessagePact } from '../../../contracts/pact-file.ts';
import { startVerifier, type Verifier } from '../../../contracts/verification/verifier.ts';
import { dispatch } from '../../../lib/leases/dispatch.ts';
import { MAX_AGE_SECONDS, queueWorld } from '../../kit/memory/memory-outbox.ts';
import { API_TOKEN } from '../../kit/memory/world.ts';
import { changed, eventOf, only, outcomes, requests, withDetail, withType } from './message-pacts.ts';

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

/** The reasons for which the single interaction of the pact failed. */
async function reasonsOf(pact: MessagePact, provider: MessageProvider, change: Change = (sent) => sent) {
  const { tokens, produce } = provider;
  const altered = { tokens, produce: async (...wish: Parameters<typeof produce>) => change(await produce(...wish)) };
  const { interactions, findings } = await verifyMessages(pact, altered, verifier);
  expect(findings).toEqual([]);
  return interactions.flatMap(({ reasons }) => reasons);
}

it('the messages of the functions and the documented examples match the pacts', async () => {
  expect(await reasonsOf(outcomes, functions)).toEqual([]);
  expect(await reasonsOf(requests, documentedRequests())).toEqual([]);
});

describe('an event that reports an outcome fails the verification if', () => {
  const [opened, closed, failed] = [
    'a session was opened',
    'a session was closed because its owner was released',
    'a session could not be opened',
  ];

  it.each<[string, string, Change, string]>([
    ['its lease id is missing', opened, (sent) => withDetail(sent, { leaseId: undefined }), 'leaseId'],
    ['its owner is missing', closed, (sent) => withDetail(sent, { owner: undefined }), 'owner'],
    ['its code is missing', failed, (sent) => withDetail(sent, { code: undefined }), 'code'],
    [
      'its code is not an error code',
      failed,
      (sent) => withDetail(sent, { code: 'Error' }),
      "Expected 'Error' to match",
    ],
    [
      'a number is a string',
      opened,
      (sent) => withDetail(sent, { expiresAt: '1800000900' }),
      "Expected '1800000900' (String) to be an integer",
    ],
    ['a string is a number', closed, (sent) => withDetail(sent, { leaseId: 7 }), 'Expected 7 (Integer)'],
    ['its detail-type is wrong', opened, (sent) => withType(sent, 'Session Open'), "Expected 'Session Open'"],
    ['it has another source', opened, (sent) => ({ ...Object(sent), source: 'flashblade' }), "'flashblade'"],
    ['it has an extra field', closed, (sent) => withDetail(sent, { host: 'fb1' }), 'detail.host is sent'],
    ['it has a field for a token', opened, (sent) => withDetail(sent, { authToken: 'x' }), 'detail.authToken is sent'],
    ['it contains an API token', failed, (sent) => withDetail(sent, { reason: `no ${API_TOKEN}` }), 'contains a token'],
    [
      'it contains an auth token',
      opened,
      (sent) => withDetail(sent, { username: functions.tokens().findLast((token) => token !== API_TOKEN) }),
      'contains a token',
    ],
  ])('%s', async (_, description, change, reason) => {
    const reasons = await reasonsOf(only(outcomes, description), functions, change);
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });

  it('it contains a token, which is masked even where the verifier quotes the message', async () => {
    const token = 'not-of-any-known-form';
    const provider = { ...functions, tokens: () => [token] };
    const reasons = await reasonsOf(only(outcomes, opened), provider, (sent) =>
      withDetail(sent, { leaseId: `is ${token}` }),
    );
    expect(reasons).toEqual([
      expect.stringContaining("Expected 'is [token]' to match"),
      expect.stringContaining('contains a token'),
    ]);
  });

  it('it is never sent, even if the empty response to the verifier would match', async () => {
    const refusing = { tokens: () => [], produce: () => Promise.reject(new Error('the bus is gone')) };
    const anything = changed(only(outcomes, opened), opened, ({ matchingRules: _, ...one }) => ({
      ...one,
      contents: { content: {}, contentType: 'application/json', encoded: false },
    }));
    expect(await reasonsOf(anything, refusing)).toEqual(['nothing was sent: the bus is gone']);
  });
});

describe('an invocation fails the verification if', () => {
  const [login, logout] = ['login: for a job', 'logout: at the end of a workflow'];

  it.each<[string, string, Change, string]>([
    ['a field of its result is missing', login, (sent) => ({ ...Object(sent), leaseId: undefined }), 'leaseId'],
    ['a number in its result is a string', login, (sent) => ({ ...Object(sent), expiresAt: '1' }), 'to be an integer'],
    ['its outcome is wrong', logout, (sent) => ({ ...Object(sent), outcome: 'ENDING' }), "'ENDING'"],
    ['its result has a field for a token', login, (sent) => ({ ...Object(sent), token: 'x' }), 'token is sent'],
    ['its result contains a token', login, (sent) => ({ ...Object(sent), username: API_TOKEN }), 'contains a token'],
  ])('%s', async (_, description, change, reason) => {
    expect(await reasonsOf(only(outcomes, description), functions, change)).toEqual([expect.stringContaining(reason)]);
  });

  it.each<[string, string, object, string]>([
    ['its input names a host', login, { array: 'fb1', host: 'fb1.example.com' }, 'has an unknown field: host'],
    ['its input has no lease id', logout, {}, 'leaseId must be'],
    [
      'its input has a string instead of a number',
      'renew: for long-running work',
      { leaseId: 'nightly-7', expiresAt: '1800001800' },
      'expiresAt must be a whole number',
    ],
    [
      'its input has an empty list of arrays',
      'check-fleet: for specific arrays',
      { arrays: [] },
      'arrays must be a list',
    ],
  ])('%s, which the function refuses', async (_, description, content, rule) => {
    const pact = changed(only(outcomes, description), description, (one) => ({
      ...one,
      request: { ...one.request, contents: { content, contentType: 'application/json', encoded: false } },
    }));
    const reasons = await reasonsOf(pact, functions);
    expect(reasons).toEqual([expect.stringMatching(`^nothing was sent: .*${rule}`)]);
  });

  it('no function handles it', async () => {
    const pact = changed(only(outcomes, login), login, (one) => ({ ...one, description: 'log-in: for a job' }));
    expect(await reasonsOf(pact, functions)).toEqual([
      expect.stringContaining('no function handles "log-in: for a job"'),
    ]);
  });
});

describe('a request event fails the verification and is refused by its handler if', () => {
  const [asked, released] = ['a session is requested with an owner and a duration', 'a session is released'];
  // Pact ignores fields that are not in the pact, so our own check must find this one.
  it.each<[string, string, Change, string, string]>([
    [
      'its array is missing',
      asked,
      (sent) => withDetail(sent, { array: undefined }),
      'array',
      'array must be an array name',
    ],
    [
      'its lease id is missing',
      released,
      (sent) => withDetail(sent, { leaseId: undefined }),
      'leaseId',
      'must have either leaseId or owner',
    ],
    [
      'a number is a string',
      asked,
      (sent) => withDetail(sent, { leaseSeconds: '1800' }),
      'to be an integer',
      'leaseSeconds must be a whole number',
    ],
    [
      'a string is a number',
      released,
      (sent) => withDetail(sent, { leaseId: 7 }),
      'Expected 7 (Integer)',
      'leaseId must be',
    ],
    [
      'its detail-type is wrong',
      released,
      (sent) => withType(sent, 'Session Ended'),
      "Expected 'Session Ended'",
      'this detail-type is not supported',
    ],
    [
      'it contains a token',
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
    await dispatch(w.ports, outbox, { messageId: 'message-7', body }, MAX_AGE_SECONDS, w.deadline());
    expect(published).toMatchObject([
      { type: 'failed', detail: { code: 'REQUEST_INVALID', reason: expect.stringContaining(rule) } },
    ]);
    expect(JSON.stringify([published, letters, w.reports])).not.toContain(API_TOKEN);
    expect(letters).toHaveLength(1);
    expect(w.live.size).toBe(0);
  });

  it('the rule does not let it through or the documentation has no example of it', async () => {
    const pact = only(requests, released);
    const narrow = documentedRequests(undefined, ['Session Requested']);
    expect(await reasonsOf(pact, narrow)).toEqual([
      expect.stringContaining('does not forward events with this detail-type'),
    ]);
    expect(await reasonsOf(pact, documentedRequests(''))).toEqual([expect.stringContaining('has no example')]);
  });
});
