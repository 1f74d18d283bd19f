/** A session's whole life against moto: every packaged function under its own role, with every AWS call recorded. */
import { PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { randomApiToken, type Simulator, startSimulator } from '../../simulator/index.ts';
import { sqsEventOf } from '../kit/aws/sqs-event.ts';
import { createClock } from '../kit/clock.ts';
import type { Lambda } from '../kit/lambda/lambda.ts';
import { errorOf, resultOf } from '../kit/lambda/outcome.ts';
import { FUNCTIONS, type FunctionName } from '../kit/packaged.ts';
import { differences, type RoleCall } from './grants.ts';
import { ACCOUNT, REGION } from './moto.ts';
import { assertEnforced, type Stack, startStack } from './stack.ts';

/** A role without the statement, an event for the function, and the call that is then refused. */
const NEEDED: readonly [FunctionName, string, object, ...string[]][] = [
  ['login', 'ReadApiTokens', { array: 'fb1' }, 'secretsmanager:GetSecretValue'],
  ['login', 'Seal', { array: 'fb1' }, 'kms:GenerateDataKey'],
  ['login', 'KeepLedger', { array: 'fb1' }, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
  ['call-array', 'Unseal', { leaseId: 'kept', method: 'GET', path: '/api/2.4/arrays' }, 'kms:Decrypt'],
  ['logout', 'Unseal', { leaseId: 'kept' }, 'kms:Decrypt'],
  ['check-fleet', 'ListSecrets', {}, 'secretsmanager:ListSecrets'],
];

const clock = createClock();
const lambdas = new Map<FunctionName, Lambda>();
let stack: Stack;
let array: Simulator;
let down: Simulator;

beforeAll(async () => {
  stack = await startStack(NEEDED.map(([name, sid]) => ({ name, sid })));
  array = await startSimulator({ now: clock.now });
  down = await startSimulator({ now: clock.now });
  for (const name of FUNCTIONS) lambdas.set(name, await stack.start(name, undefined, clock.aheadMs));
  await addSecret('fb1');
  await addSecret('kept');
  await addSecret('refused', { apiToken: randomApiToken() });
  await invoke('login', { array: 'kept', leaseId: 'kept', leaseSeconds: 7200 });
  await watchBus();
});

// If moto enforced nothing, every other test would pass as well.
afterEach(() => assertEnforced(stack));

afterAll(async () => {
  await Promise.all([stack?.stop(), array?.stop(), down?.stop()]);
});

async function addSecret(name: string, fields: object = {}, { port, certificate: ca, apiToken } = array) {
  const SecretString = JSON.stringify({ host: `127.0.0.1:${port}`, apiToken, trust: { ca }, ...fields });
  const input = { Name: `flashblade/${name}`, KmsKeyId: stack.secretsKey, SecretString };
  await stack.administrator.secrets.send(new CreateSecretCommand(input));
}

const lambdaOf = (name: FunctionName): Lambda => lambdas.get(name) as Lambda;
const invoke = (name: FunctionName, event: unknown) => lambdaOf(name).invoke(event);
const succeed = async <Result extends object>(name: FunctionName, event: unknown) =>
  resultOf<Result>(await invoke(name, event));
const codeOf = async (name: FunctionName, event: unknown) => errorOf(await invoke(name, event)).errorType;

const lease = async (id: string) => (await stack.items()).find((item) => item['leaseId'] === id);
/** How many sessions an attempt has on the array: one or none. */
const live = (attempt: unknown) => array.sessions().filter(({ requestId }) => requestId === attempt).length;
const sessionsOf = async (id: string) => {
  const { attemptId = 'none' } = (await lease(id)) ?? {};
  return live(attemptId);
};

/** What the stack publishes on its bus arrives in this queue. */
const OBSERVED = 'observed';
const urlOf = (queue: string): string => `${stack.moto.url}/${ACCOUNT}/${queue}`;

async function watchBus(): Promise<void> {
  const { sqs, events } = stack.administrator;
  await sqs.send(new CreateQueueCommand({ QueueName: OBSERVED }));
  const rule = { Name: OBSERVED, EventBusName: stack.bus };
  await events.send(new PutRuleCommand({ ...rule, EventPattern: '{ "source": ["flashblade-sessions"] }' }));
  const Arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${OBSERVED}`;
  await events.send(new PutTargetsCommand({ Rule: OBSERVED, EventBusName: stack.bus, Targets: [{ Id: '1', Arn }] }));
}

/** Takes every message out of a queue, as an administrator. */
async function drain(QueueUrl: string): Promise<string[]> {
  const { sqs } = stack.administrator;
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  const bodies = Messages.map(({ Body = '' }) => Body);
  return bodies.length === 0 ? [] : [...bodies, ...(await drain(QueueUrl))];
}

/** The published events since the last look: `Session Opened job-1`. An event whose response was late is published again. */
async function published(): Promise<string[]> {
  const events = (await drain(urlOf(OBSERVED))).map((body) => {
    const { 'detail-type': type, detail } = JSON.parse(body);
    return `${type} ${detail.leaseId ?? '-'}`;
  });
  return [...new Set(events)];
}

const send = (type: string, detail: object, Source = 'com.example.jobs', EventBusName = stack.bus) =>
  stack.administrator.events.send(
    new PutEventsCommand({ Entries: [{ EventBusName, Source, DetailType: type, Detail: JSON.stringify(detail) }] }),
  );

/**
 * Plays the event source mapping, which moto runs only with Docker: receives a batch with the function's role, invokes the function, and
 * deletes what did not fail. Returns how many messages were received and how many failed.
 */
async function poll(): Promise<{ received: number; failed: number }> {
  const sqs = stack.sqsOf('session-events');
  const queue = { QueueUrl: stack.queueUrl('RequestQueue') };
  await sqs.send(new GetQueueAttributesCommand({ ...queue, AttributeNames: ['All'] }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ ...queue, MaxNumberOfMessages: 10 }));
  const batch = Messages.map(({ MessageId: messageId = '', Body: body = '' }) => ({ messageId, body }));
  const { batchItemFailures } = await succeed<SQSBatchResponse>('session-events', sqsEventOf(batch, clock.now()));
  const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  for (const { MessageId = '', ReceiptHandle } of Messages)
    if (!failed.includes(MessageId)) await sqs.send(new DeleteMessageCommand({ ...queue, ReceiptHandle }));
  sqs.destroy();
  return { received: batch.length, failed: failed.length };
}

describe('a session', () => {
  test('is opened once for a repeated login', async () => {
    const first = await succeed('login', { array: 'fb1', leaseId: 'job', leaseSeconds: 600 });
    expect(first).toMatchObject({ leaseId: 'job', array: 'fb1', username: 'pureuser' });
    expect(await succeed('login', { array: 'fb1', leaseId: 'job', leaseSeconds: 600 })).toEqual(first);
    expect(await sessionsOf('job')).toBe(1);
    expect(await lease('job')).toMatchObject({ state: 'OPEN', duePartition: 'due' });
  });

  test('is used and renewed, and both log in again after the array has dropped it', async () => {
    const call = { leaseId: 'job', method: 'GET', path: '/api/2.4/arrays' };
    const later = () => ({ leaseId: 'job', expiresAt: Math.floor(clock.now() / 1000) + 900 });
    expect(await succeed('call-array', call)).toMatchObject({ status: 200 });
    expect(await succeed('renew', later())).toMatchObject({ leaseId: 'job' });
    for (const name of ['call-array', 'renew'] as const) {
      const before = (await lease('job'))?.['attemptId'];
      for (const { authToken, requestId } of array.sessions()) if (requestId === before) array.endSession(authToken);
      clock.putForward(120_000);
      await succeed(name, name === 'renew' ? later() : call);
      expect((await lease('job'))?.['attemptId']).not.toBe(before);
      expect(await sessionsOf('job')).toBe(1);
    }
  });

  test('is closed once for a repeated logout', async () => {
    expect(await succeed('logout', { leaseId: 'job' })).toMatchObject({ outcome: 'CLOSED' });
    expect(await succeed('logout', { leaseId: 'job' })).toMatchObject({ outcome: 'ALREADY_CLOSED' });
    expect(await sessionsOf('job')).toBe(0);
    expect(await lease('job')).not.toHaveProperty('sealed');
  });

  test('is not opened with an API token that the array refuses, and the array is not asked twice', async () => {
    expect(await codeOf('login', { array: 'refused', leaseId: 'never' })).toBe('LOGIN_REFUSED');
    const requests = array.requests.length;
    expect(await codeOf('login', { array: 'refused', leaseId: 'never-again' })).toBe('LOGIN_REFUSED');
    expect(array.requests).toHaveLength(requests);
    expect(await lease('never')).toBeUndefined();
  });

  test('whose relogin the array refuses has ended, and so has its lease', async () => {
    const other = await startSimulator({ now: clock.now });
    await addSecret('rotated', {}, other);
    await succeed('login', { array: 'rotated', leaseId: 'rotated' });
    for (const { authToken } of other.sessions()) other.endSession(authToken);
    other.setUsers([{ username: 'pureuser', apiToken: randomApiToken() }]);
    clock.putForward(120_000);
    const call = { leaseId: 'rotated', method: 'GET', path: '/api/2.4/arrays' };
    expect(await codeOf('call-array', call)).toBe('LOGIN_REFUSED');
    expect(await lease('rotated')).toMatchObject({ state: 'CLOSED' });
    expect(await succeed('logout', { leaseId: 'rotated' })).toMatchObject({ outcome: 'ALREADY_CLOSED' });
    expect(other.sessions()).toEqual([]);
    await other.stop();
  });

  test.each([
    ['login', 'secretsmanager:GetSecretValue'],
    ['login', 'kms:GenerateDataKey'],
    ['login', 'dynamodb:GetItem'],
    ['login', 'dynamodb:PutItem'],
    ['login', 'dynamodb:UpdateItem'],
    ['logout', 'kms:Decrypt'],
    ['logout', 'dynamodb:GetItem'],
    ['logout', 'dynamodb:PutItem'],
    ['logout', 'dynamodb:UpdateItem'],
  ] as const)('is opened and closed once, although %s loses the response to %s', async (name, action) => {
    const id = `lost-${name}-${action}`;
    const before = array.history.length;
    // A new process has no cached secret.
    await lambdaOf('login').kill();
    const during = async (one: FunctionName, event: object) => {
      if (one === name) stack.proxy.lose(action);
      return succeed(one, event);
    };
    await during('login', { array: 'fb1', leaseId: id });
    expect(await sessionsOf(id)).toBe(1);
    await during('logout', { leaseId: id });
    expect(stack.proxy.losses).toEqual([]);
    expect(array.history.length).toBe(before + 1);
    expect(await sessionsOf(id)).toBe(0);
  });
});

describe('an event', () => {
  test('opens a session, another one closes it, and the stack publishes both results', async () => {
    await send('Session Requested', { array: 'fb1', leaseId: 'by-event', owner: 'nightly' });
    expect(await poll()).toEqual({ received: 1, failed: 0 });
    expect(await sessionsOf('by-event')).toBe(1);
    await send('Session Released', { leaseId: 'by-event' });
    expect(await poll()).toEqual({ received: 1, failed: 0 });
    expect(await sessionsOf('by-event')).toBe(0);
    expect(await published()).toEqual(['Session Opened by-event', 'Session Closed by-event']);
  });

  test('that can never succeed is published as failed and kept as a dead letter', async () => {
    await send('Session Requested', { array: 'unknown', leaseId: 'unknown' });
    await send('Session Requested', { array: 'refused', leaseId: 'refused-by-event' });
    await send('Something Else', { leaseId: 'not-for-us' });
    expect(await poll()).toEqual({ received: 2, failed: 0 });
    expect((await published()).sort()).toEqual(['Session Failed refused-by-event', 'Session Failed unknown']);
    const letters = (await drain(stack.queueUrl('FailedEventQueue'))).map((body) => JSON.parse(body).code);
    expect([...new Set(letters)].sort()).toEqual(['ARRAY_UNKNOWN', 'LOGIN_REFUSED']);
  });

  test('that may succeed later stays in the queue', async () => {
    await addSecret('down', {}, down);
    const refusal = down.faults.add({ kind: 'refuse' });
    await send('Session Requested', { array: 'down', leaseId: 'later' });
    expect(await poll()).toEqual({ received: 1, failed: 1 });
    await refusal.remove();
    expect(await lease('later')).toBeUndefined();
    const { sqs } = stack.administrator;
    const QueueUrl = stack.queueUrl('RequestQueue');
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '1', VisibilityTimeout: '360' });
  });

  test('about the end of an execution closes its leases', async () => {
    const owner = stack.executions.ended.replace(/ended$/, 'reported');
    await succeed('login', { array: 'fb1', leaseId: 'of-execution', owner });
    const stateMachineArn = owner.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, '');
    const detail = { executionArn: owner, stateMachineArn, status: 'ABORTED' };
    await send('Step Functions Execution Status Change', detail, 'aws.states', 'default');
    expect(await poll()).toEqual({ received: 1, failed: 0 });
    expect(await sessionsOf('of-execution')).toBe(0);
  });
});

describe('the sweeper', () => {
  test('closes the leases of an execution whose end was never reported, and no others', async () => {
    const { ended, running } = stack.executions;
    const ids = (owner: string) => Array.from({ length: 6 }, (_, n) => `${owner}-${n}`);
    for (const owner of [ended, running])
      for (const leaseId of ids(owner)) await succeed('login', { array: 'fb1', leaseId, owner });
    const left = async (owner: string) => (await Promise.all(ids(owner).map(sessionsOf))).reduce((a, b) => a + b);
    // Each sweep looks at about one lease in five.
    for (let sweeps = 0; sweeps < 60 && (await left(ended)) > 0; sweeps++) await succeed('sweep-sessions', {});
    expect([await left(ended), await left(running)]).toEqual([0, 6]);
    for (const leaseId of ids(running)) await succeed('logout', { leaseId });
  });

  test('closes an expired lease', async () => {
    await succeed('login', { array: 'fb1', leaseId: 'forgotten', leaseSeconds: 60 });
    clock.putForward(61_000);
    expect(await succeed('sweep-sessions', {})).toMatchObject({ expired: 1, closed: 1 });
    expect(await sessionsOf('forgotten')).toBe(0);
    expect(await lease('forgotten')).toMatchObject({ state: 'CLOSED' });
  });

  test('records a SUSPECT for a login whose process died, and drops it when its session has ended', async () => {
    array.faults.add({ kind: 'hang', at: 'before-headers', path: '/api/login', times: 1 });
    const login = invoke('login', { array: 'fb1', leaseId: 'dead' });
    await expect.poll(() => lease('dead')).toMatchObject({ state: 'OPENING' });
    const attempt = (await lease('dead'))?.['attemptId'];
    await expect.poll(() => live(attempt)).toBe(1);
    await lambdaOf('login').kill();
    expect(await login).toHaveProperty('killed');
    clock.putForward(200_000);
    await succeed('sweep-sessions', {});
    const suspects = async () => (await stack.items()).filter(({ kind }) => kind === 'suspect');
    expect(await suspects()).toMatchObject([{ leaseId: 'dead', attemptId: attempt }]);
    clock.putForward(1_800_000 + 200_000);
    await succeed('sweep-sessions', {});
    expect(await suspects()).toEqual([]);
    expect(live(attempt)).toBe(0);
  });
});

test('the fleet check logs in to every array and compares their sessions with the ledger', async () => {
  const result = await succeed('check-fleet', {});
  expect(result).toMatchObject({ checked: 5, unhealthy: [{ array: 'refused' }, { array: 'rotated' }] });
});

test('Lambda can report a failed invocation with the role of every function that is invoked asynchronously', async () => {
  const reporters = stack.grants.filter(({ sid }) => sid === 'ReportFailedInvocations').map(({ role }) => role);
  expect(reporters).toHaveLength(6);
  const QueueUrl = stack.queueUrl('FailedInvocationQueue');
  for (const role of reporters) {
    const sqs = stack.sqsOf(role);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: role }));
    sqs.destroy();
  }
  expect(await drain(QueueUrl)).toEqual(reporters);
});

describe('the calls of the functions', () => {
  test('all have a grant, and every grant of every role was needed', () => {
    const calls = stack.calls();
    expect(calls.length).toBeGreaterThan(500);
    expect(differences(stack.grants, calls)).toEqual([]);
  });

  const call: RoleCall = { role: 'logout', action: 'dynamodb:GetItem', resource: 'arn:other' };
  const grant = { role: 'logout', sid: 'More', action: 'events:PutEvents', resources: ['*'] } as const;

  test.each<[string, Partial<{ calls: RoleCall[]; grants: (typeof grant)[] }>, string]>([
    ['a grant that is not needed', { grants: [grant] }, 'logout never needed events:PutEvents of the statement More'],
    ['a call on another resource', { calls: [call] }, 'logout called dynamodb:GetItem on arn:other without a grant'],
    [
      'a call that the recorder does not know',
      { calls: [{ ...call, action: 'kms:Sign', resource: undefined }] },
      'logout called kms:Sign, which the recorder does not know',
    ],
    [
      'a call of a stranger',
      { calls: [{ ...call, role: undefined }] },
      'dynamodb:GetItem was called with credentials of no function',
    ],
  ])('are compared with the grants: %s is found', (_, { calls = [], grants = [] }, fault) => {
    expect(differences([...stack.grants, ...grants], [...stack.calls(), ...calls])).toEqual([fault]);
  });

  test('are recorded even if the recorder does not know the action', async () => {
    const before = stack.calls().length;
    const sqs = stack.sqsOf('logout');
    await expect(sqs.send(new CreateQueueCommand({ QueueName: 'new' }))).rejects.toThrow('refused');
    sqs.destroy();
    const added = stack.calls().slice(before);
    expect(added).toEqual([{ role: 'logout', action: 'sqs:CreateQueue', resource: undefined }]);
    expect(differences(stack.grants, stack.calls())).toEqual([
      'logout called sqs:CreateQueue, which the recorder does not know',
    ]);
  });
});

describe('moto enforces permissions:', () => {
  const codes = (from: number) => new Set(stack.proxy.calls.slice(from).flatMap(({ code }) => code ?? []));

  test('a wrong secret key is refused', async () => {
    const credentials = { ...stack.credentialsOf('login'), secretAccessKey: 'x'.repeat(40) };
    const before = stack.proxy.calls.length;
    const { errorMessage } = errorOf(await (await stack.start('login', credentials)).invoke({ array: 'fb1' }));
    expect(errorMessage).toMatch(/AWS returned SignatureDoesNotMatch/);
    expect(codes(before)).toEqual(new Set(['SignatureDoesNotMatch']));
  });

  test.each(NEEDED)('%s fails without the statement %s', async (name, sid, event, ...actions) => {
    const before = stack.proxy.calls.length;
    const lambda = await stack.start(name, stack.credentialsOf(`${name}-without-${sid}`));
    const outcome = await lambda.invoke(event);
    expect(JSON.stringify(outcome)).toMatch(/AWS returned AccessDeniedException \(400\)/);
    const refused = stack.proxy.calls.slice(before).filter(({ code }) => code === 'AccessDeniedException');
    expect(new Set(refused.map((call) => call.action))).toEqual(new Set(actions));
  });

  test('an SQS grant covers only its queue', async () => {
    const sqs = stack.sqsOf('login-without-Seal');
    const to = (id: string) => new SendMessageCommand({ QueueUrl: stack.queueUrl(id), MessageBody: 'failed' });
    await sqs.send(to('FailedInvocationQueue'));
    await expect(sqs.send(to('RequestQueue'))).rejects.toThrow('moto refused sqs:SendMessage');
    sqs.destroy();
  });

  test('these tests fail if it does not', async () => {
    await stack.moto.trust();
    await expect(assertEnforced(stack)).rejects.toThrow('moto does not enforce');
    await stack.moto.enforce();
    await assertEnforced(stack);
  });
});
