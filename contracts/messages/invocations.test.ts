/**
 * Invocations by schedules and workflows. Inputs come from the stack or the documentation. A workflow's next step must accept each result.
 */
import { expect, test } from 'vitest';
import { parseCallRequest, parseLogoutRequest, parseRenewRequest } from '../../lib/leases/requests.ts';
import { examples, page } from '../../test/kit/pages.ts';
import { scheduledInput } from '../../test/kit/scheduler.ts';
import { functionOf } from '../pact-file.ts';
import { arrayName, equal, type Invocation, id, integer, invocation, someText } from './declare.ts';
import { inputFields, resultFields, scheduledInputs } from './stack.ts';

const LEASE = { array: arrayName(), leaseId: id('nightly-7'), username: someText('pureuser'), expiresAt: integer(1) };
const NO_ARRAYS = { notChecked: integer(0), warnings: [], unknownSessions: integer(0), unhealthy: [] };
const COUNTS = Object.fromEntries(
  ['live', 'expired', 'closed', 'stuck', 'suspect', 'left', 'oldestDueSeconds'].map((name) => [name, integer(0)]),
);

const lasting = { array: 'fb1', leaseId: 'nightly-2026-11-24', leaseSeconds: 1800, owner: 'nightly-2026-11-24' };
const scheduled = {
  array: 'fb1',
  leaseId: 'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly:2026-11-24T01:00:00Z',
};

test.each<[Invocation, object, object, (input: object, result: { leaseId: string; expiresAt: number }) => unknown]>([
  ['login: for a job', lasting, LEASE, (_, { leaseId }) => parseLogoutRequest({ leaseId })],
  [
    'login: from a schedule',
    scheduled,
    LEASE,
    (_, { leaseId, expiresAt }) => parseRenewRequest({ leaseId, expiresAt }),
  ],
  [
    'logout: at the end of a workflow',
    { leaseId: 'nightly-7' },
    { leaseId: id('nightly-7'), array: arrayName(), outcome: equal('CLOSED') },
    parseLogoutRequest,
  ],
  ['renew: for long-running work', { leaseId: 'nightly-7', expiresAt: 1_800_001_800 }, LEASE, parseRenewRequest],
  [
    'call-array: from a workflow',
    { leaseId: 'nightly-7', method: 'GET', path: '/api/2.26/arrays', query: { limit: 1 } },
    { status: equal(200), body: { items: [] } },
    parseCallRequest,
  ],
  [
    'check-fleet: for specific arrays',
    { arrays: ['fb1', 'fb2'] },
    { checked: integer(2), healthy: integer(2), ...NO_ARRAYS },
    () => undefined,
  ],
  ['check-fleet: for all arrays', {}, { checked: integer(2), healthy: integer(2), ...NO_ARRAYS }, () => undefined],
  [
    'sweep-sessions: from its schedule',
    {},
    COUNTS,
    (input) => expect(scheduledInputs()['sweep-sessions']).toEqual(input),
  ],
])("%s: the fields are documented, and the workflow's next step accepts the result", (name, input, pinned, next) =>
  invocation(name, input, pinned, (result) => {
    for (const field of Object.keys(input)) expect(inputFields(functionOf(name))).toContain(field);
    expect(resultFields(functionOf(name))).toEqual(expect.arrayContaining(Object.keys(result)));
    next(input, result as { leaseId: string; expiresAt: number });
  }),
);

test('the documented login examples equal the inputs in the contract', () => {
  const PAGE = page('functions-and-events.md');
  const documented = [...examples('json login-request', PAGE), ...examples('json schedule-input', PAGE)];
  expect(documented.map((json) => scheduledInput(json))).toEqual([lasting, scheduled]);
});
