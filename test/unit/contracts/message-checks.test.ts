/** The checks of message pacts find nothing in the committed pacts, and find every deliberate mistake. */
import { describe, expect, it } from 'vitest';
import { checkComplete, checkMessages } from '../../../contracts/checks/messages.ts';
import { checkDrift } from '../../../contracts/checks/pact-checks.ts';
import { committedFile, OUTCOMES_PACT, REQUESTS_PACT } from '../../../contracts/pact-file.ts';
import { changed, eventOf, outcomes, requests, withDetail } from './message-pacts.ts';

const OPENED = 'a session was opened';
const LOGIN = 'login: for a job';

const withContent = (content: object) => (one: object) => ({ ...one, contents: { content } });

it('the committed message pacts pass every check', () => {
  for (const pact of [requests, outcomes]) expect(checkMessages(pact)).toEqual([]);
  expect(checkComplete([requests, outcomes])).toEqual([]);
  expect(checkDrift(requests, committedFile(REQUESTS_PACT))).toEqual([]);
  expect(checkDrift(outcomes, committedFile(OUTCOMES_PACT))).toEqual([]);
});

describe('a message pact is refused if', () => {
  it.each([
    ['it has no message', { ...outcomes, interactions: [] }, 'the pact has no interaction'],
    ['a message is pending', changed(outcomes, OPENED, (one) => ({ ...one, pending: true })), 'is pending, '],
    [
      'a message occurs twice',
      { ...outcomes, interactions: [...outcomes.interactions, ...outcomes.interactions.slice(0, 1)] },
      'occurs twice. Give',
    ],
    [
      'a message requires a state',
      changed(outcomes, OPENED, (one) => ({ ...one, providerStates: [{ name: 'x' }] })),
      'requires a provider state, but this project',
    ],
    [
      'an event has no contents',
      changed(outcomes, OPENED, ({ contents: _, ...one }) => one),
      'is neither an event nor an input with exactly one result',
    ],
    [
      'an invocation has no result',
      changed(outcomes, LOGIN, (one) => ({ ...one, response: [] })),
      'is neither an event nor an input with exactly one result',
    ],
    [
      'an event has a field for a token',
      changed(outcomes, OPENED, withContent(withDetail(eventOf(outcomes, OPENED), { authToken: 'x' }))),
      'has the field authToken, but no message may contain a token',
    ],
    [
      'an input has a field for a token at any depth',
      changed(outcomes, LOGIN, (one) => ({ ...one, request: { contents: { content: { a: [{ api_token: 'x' }] } } } })),
      'has the field api_token',
    ],
    [
      'a result has a field for a secret',
      changed(outcomes, LOGIN, (one) => ({ ...one, response: [{ contents: { content: { secret: 'x' } } }] })),
      'has the field secret',
    ],
    [
      'a value looks like an API token',
      changed(
        requests,
        'a session is released',
        withContent({ detail: { leaseId: 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789' } }),
      ),
      'has a value that looks like a token',
    ],
    [
      'a value looks like an auth token',
      changed(outcomes, OPENED, withContent({ detail: { leaseId: '0f4a1d8e-7c2b-4b55-9d0e-3a6f5b2c1e90' } })),
      'has a value that looks like a token',
    ],
  ])('%s', (_, wrong, finding) => {
    const findings = checkMessages(wrong);
    expect(findings).toContainEqual(expect.stringContaining(finding));
    expect(findings).toHaveLength(1);
  });
});

it('an event or a function that no message covers is reported', () => {
  const without = (description: string) => ({
    ...outcomes,
    interactions: outcomes.interactions.filter((one) => one.description !== description),
  });
  expect(checkComplete([outcomes])).toEqual([
    expect.stringContaining('no message covers Session Requested. Add one'),
    expect.stringContaining('no message covers Session Released'),
  ]);
  expect(checkComplete([requests, without(OPENED)])).toEqual([expect.stringContaining('Session Opened')]);
  expect(checkComplete([requests, without('renew: for long-running work')])).toEqual([
    expect.stringContaining('renew'),
  ]);
  expect(checkComplete([requests, outcomes], ['login', 'rotate-api-token'])).toEqual([
    expect.stringContaining('no message covers rotate-api-token'),
  ]);
});

it('drift from a committed message pact is reported if a message is new, removed or changed', () => {
  const other = changed(outcomes, OPENED, withContent(withDetail(eventOf(outcomes, OPENED), { username: 'root' })));
  const file = committedFile(OUTCOMES_PACT);
  expect(checkDrift(other, file)).toEqual([expect.stringContaining(`changed: "${OPENED}"`)]);
  expect(checkDrift({ ...outcomes, interactions: outcomes.interactions.slice(1) }, file)).toEqual([
    expect.stringContaining('removed: "a message could not be understood"'),
  ]);
});
