import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf } from '../../kit/lambda/outcome.ts';
import { executionEnded, messageOf, released, requested } from '../../kit/memory/messages.ts';
import { eventsOf } from './logs.ts';
import { unknownSessions } from './unknown-sessions.ts';

const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52-9d0c-4f0e-b8a9-6c1d2e3f4a5b';

let d: Deployment;
/** Events that the function published, oldest first. */
const published = () => d.aws.events.sent.filter(({ bus }) => bus === d.physical.EventBus);
const letters = () =>
  d.aws.sqs.queue('dead-letters').messages.map(({ body }) => JSON.parse(body) as Record<string, string>);

beforeAll(async () => {
  d = await deploy({ functions: ['session-events'] });
  d.addArray('fb1');
  d.addArray('down', { host: '127.0.0.1:1' });
});

afterEach(() => d.aws.faults.clear());

afterAll(() => d.stop());

/** Events published during `work`: `Session Opened job-1`. */
async function publishedDuring(work: () => Promise<unknown>): Promise<string[]> {
  const before = published().length;
  await work();
  return published()
    .slice(before)
    .map(({ detailType, detail }) => `${detailType} ${(detail as { leaseId?: string }).leaseId ?? '-'}`);
}

describe('session-events', () => {
  test('opens a session on request, closes it on release, and publishes both', async () => {
    const request = requested({ array: 'fb1', leaseId: 'job-1', leaseSeconds: 120, owner: 'job' }, 'event-1');
    expect(await d.deliver([request])).toEqual([]);
    const item = await d.lease('job-1');
    expect(item).toMatchObject({ state: 'OPEN', owner: 'job', attemptId: d.simulator.sessions()[0]?.requestId });
    expect(await d.deliver([released({ leaseId: 'job-1' }, 'event-2')])).toEqual([]);
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.lease('job-1')).toMatchObject({ state: 'CLOSED' });

    const detail = { leaseId: 'job-1', array: 'fb1', username: 'pureuser', expiresAt: item?.expiresAt, owner: 'job' };
    expect(published()).toMatchObject([
      { source: 'flashblade-sessions', detailType: 'Session Opened', detail },
      { source: 'flashblade-sessions', detailType: 'Session Closed', detail: { leaseId: 'job-1', array: 'fb1' } },
    ]);
  });

  test('closes all sessions of an execution when it ends, and no other session', async () => {
    const requests = ['a', 'b', 'c'].map((leaseId) => {
      const owner = leaseId === 'c' ? 'other' : EXECUTION;
      return requested({ array: 'fb1', leaseId, owner }, `event-${leaseId}`);
    });
    expect(await d.deliver(requests)).toEqual([]);
    expect(await d.deliver([executionEnded(EXECUTION, 'RUNNING')])).toEqual([]);
    expect(d.simulator.sessions()).toHaveLength(3);
    const events = await publishedDuring(() => d.deliver([executionEnded(EXECUTION, 'ABORTED')]));
    expect(events.sort()).toEqual(['Session Closed a', 'Session Closed b']);
    expect(d.simulator.sessions()).toHaveLength(1);
    expect(await d.deliver([released({ owner: 'other' })])).toEqual([]);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('returns exactly the messages that may succeed later to the queue', async () => {
    const batch = [
      requested({ array: 'fb1', leaseId: 'good' }, 'good'),
      requested({ array: 'down', leaseId: 'later' }, 'array-down'),
      { messageId: 'nonsense', body: 'not JSON' },
      requested({ array: 'unknown', leaseId: 'never' }, 'no-such-array'),
      requested({ array: 'down' }, 'array-down-too'),
      executionEnded('arn:of-nobody', 'FAILED', 'owner-of-nothing'),
      messageOf('Session Opened', { leaseId: 'good' }, 'not-for-us'),
    ];
    const before = letters().length;
    let failures: string[] = [];
    const events = await publishedDuring(async () => {
      failures = await d.deliver(batch);
    });
    expect(failures).toEqual(['message-of-array-down', 'message-of-array-down-too']);
    expect(events.sort()).toEqual([
      'Session Failed -',
      'Session Failed -',
      'Session Failed never',
      'Session Opened good',
    ]);
    const byMessage = letters()
      .slice(before)
      .map(({ messageId, code, leaseId }) => [messageId, code, leaseId]);
    expect(byMessage.sort()).toEqual([
      ['message-of-no-such-array', 'ARRAY_UNKNOWN', 'never'],
      ['message-of-not-for-us', 'REQUEST_INVALID', undefined],
      ['nonsense', 'REQUEST_INVALID', undefined],
    ]);
    expect(eventsOf(d.lambdaOf('session-events').output, 'MessageFailed')).toHaveLength(5);
    await d.deliver([released({ leaseId: 'good' })]);
  });

  test('opens one session for a request that is in a batch twice', async () => {
    const request = requested({ array: 'fb1', leaseId: 'twice' });
    const batch = [request, { ...request, messageId: 'again' }];
    const before = d.simulator.history.length;
    const failures = await d.deliver(batch);
    expect(await d.deliver(batch.filter(({ messageId }) => failures.includes(messageId)))).toEqual([]);
    expect(d.simulator.history).toHaveLength(before + 1);
    await d.deliver([released({ leaseId: 'twice' })]);
  });
});

describe('a message', () => {
  test.each([
    ['refuses the event', { kind: 'deny', service: 'events' }],
    ['does not respond', { kind: 'hang', service: 'events' }],
  ] as const)(
    'returns to the queue if EventBridge %s, and its event is published on the next delivery',
    async (_, fault) => {
      const request = requested({ array: 'fb1', leaseId: fault.kind }, 'event-1');
      d.aws.faults.add(fault);
      const events = await publishedDuring(async () => {
        expect(await d.deliver([request])).toEqual(['message-of-event-1']);
      });
      expect(events).toEqual([]);
      d.aws.faults.clear();
      expect(await publishedDuring(() => d.deliver([request]))).toHaveLength(1);
      await d.deliver([released({ leaseId: fault.kind })]);
      expect(d.simulator.sessions()).toEqual([]);
    },
  );

  test('returns to the queue if EventBridge responds with 200 but refuses the event', async () => {
    d.aws.events.refuseEntries(1);
    const request = requested({ array: 'unknown' }, 'event-1');
    const before = letters().length;
    expect(await d.deliver([request])).toEqual(['message-of-event-1']);
    expect(letters()).toHaveLength(before);
    expect(await d.deliver([request])).toEqual([]);
    expect(letters()).toHaveLength(before + 1);
  });

  test.each(['deny', 'hang'] as const)(
    'returns to the queue if SQS does not accept its dead letter (%s)',
    async (kind) => {
      d.aws.faults.add({ kind, service: 'sqs' });
      expect(await d.deliver([requested({ array: 'unknown' }, 'event-1')])).toEqual(['message-of-event-1']);
    },
  );
});

test('the function does not start without event bus and dead-letter queue, and names both variables', async () => {
  const env = { EVENT_BUS: '', DEAD_LETTER_QUEUE: '' };
  const broken = await deploy({ functions: ['session-events'], env });
  onTestFinished(broken.stop);
  const { errorType, errorMessage } = errorOf(await broken.invoke('session-events', { Records: [] }));
  expect(errorType).toBe('CONFIG_INVALID');
  expect(errorMessage).toMatch(/EVENT_BUS must be set.*DEAD_LETTER_QUEUE must be set/);
});

test('no token appears in any output, and no session is missing from the ledger', async () => {
  expect(d.simulator.history.length).toBeGreaterThan(5);
  expect(await d.leaks()).toEqual([]);
  expect(await unknownSessions(d)).toEqual([]);
});

test('a token in an event is found', async () => {
  await d.deliver([requested({ array: 'fb1', leaseId: `not-${d.simulator.apiToken}`, leaseSeconds: 60 })]);
  const found = await d.leaks();
  expect(found).toContain('events on the bus');
  expect(found).toContain('what session-events wrote');
});

test('sweep-sessions closes the sessions of an execution whose end was never reported', async () => {
  const prefix = EXECUTION.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, '');
  const stack = await deploy({ functions: ['login', 'sweep-sessions'], env: { STATE_MACHINE_ARN_PREFIX: prefix } });
  onTestFinished(stack.stop);
  stack.addArray('fb1');
  const owners = [EXECUTION, `${EXECUTION}-running`, 'job'];
  for (const owner of owners)
    for (let n = 0; n < 8; n++) await stack.login({ array: 'fb1', leaseId: `${owner}-${n}`, owner });
  stack.aws.states.setStatus(EXECUTION, 'ABORTED');
  stack.aws.states.setStatus(`${EXECUTION}-running`, 'RUNNING');
  // Each sweep looks at about one lease in five.
  for (let sweeps = 0; sweeps < 50 && stack.simulator.sessions().length > 16; sweeps++)
    expect(await stack.invoke('sweep-sessions', {})).toHaveProperty('result');
  expect(stack.simulator.sessions()).toHaveLength(16);
  const asked = stack.aws.calls.filter(({ service }) => service === 'states');
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200));
  expect((await stack.items()).filter(({ kind }) => kind === 'owner')).toHaveLength(1);
  expect(await stack.leaks()).toEqual([]);
});
