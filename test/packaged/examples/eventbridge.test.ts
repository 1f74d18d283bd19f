/** examples/eventbridge: events and rules, with the packaged session-events behind the stack's own rule. */
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import aslValidator from 'asl-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { messageOf } from '../../kit/memory/messages.ts';
import { template } from '../../kit/packaged.ts';
import { errorsIn } from '../infra/cloudformation.ts';
import { execute } from '../workflows/deployment.ts';
import type { Machine } from '../workflows/machine.ts';
import { changed, EXAMPLES, read } from './files.ts';
import { type BusEvent, inputOf, matches, type Rule } from './rules.ts';

const RULES = read('eventbridge/rules.yml');
/** The bus that the entries of the example name. */
const BUS = 'flashblade-sessions-prod';

type Stack = { readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>> };

let d: Deployment;
let eventBridge: EventBridgeClient;
let jobs = 0;

beforeAll(async () => {
  d = await deploy({ functions: ['session-events'] });
  d.addArray('fb1');
  d.aws.events.createBus(BUS);
  const { credentials, env } = d.aws;
  eventBridge = new EventBridgeClient({
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE,
    credentials,
  });
});

beforeEach(() => {
  jobs += 1;
  for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
});

afterAll(async () => {
  eventBridge?.destroy();
  await d?.stop();
});

const requestRule = (): Rule => template().Resources['RequestRule']?.Properties as Rule;

/**
 * Puts events on the stack's bus. Its rule passes them to session-events. Returns what session-events publishes on the same bus, as
 * events.
 */
async function put(entries: readonly PutEventsRequestEntry[]): Promise<BusEvent[]> {
  const before = d.aws.events.sent.length;
  const { FailedEntryCount } = await eventBridge.send(new PutEventsCommand({ Entries: [...entries] }));
  expect(FailedEntryCount).toBe(0);
  const sent = d.aws.events.sent.slice(before);
  expect(sent.map(({ bus }) => bus)).toEqual(entries.map(() => BUS));
  const passed = sent.map(eventOf).filter((event) => matches(requestRule().EventPattern, event));
  if (passed.length > 0) {
    const messages = passed.map((event) => messageOf(event['detail-type'], event.detail, event.id, event.source));
    expect(await d.deliver(messages)).toEqual([]);
  }
  return d.aws.events.sent.slice(before + sent.length).map(eventOf);
}

const eventOf = ({ id, source, detailType, detail }: Deployment['aws']['events']['sent'][number]): BusEvent => ({
  ...{ id, source, 'detail-type': detailType },
  detail,
});

/** What the rules of the example do with an event. Returns what reaches the queue NextStep. */
async function play(event: Omit<BusEvent, 'id'>, onDefaultBus: boolean, rules: string): Promise<unknown[]> {
  const { Resources } = parse(rules) as Stack;
  const reached: unknown[] = [];
  for (const { Type, Properties } of Object.values(Resources)) {
    const { EventBusName, EventPattern, Targets } = Properties as Rule;
    if (Type !== 'AWS::Events::Rule' || (EventBusName === undefined) !== onDefaultBus) continue;
    if (!matches(EventPattern, event)) continue;
    for (const target of Targets) {
      const input = inputOf(target, { id: `event-${jobs}`, ...event });
      if (JSON.stringify(target.Arn) !== '{"Ref":"Forward"}') reached.push(input);
      else for (const outcome of await forward(Resources, input)) reached.push(...(await play(outcome, false, rules)));
    }
  }
  return reached;
}

/** Runs the state machine. Returns the events that session-events publishes. */
async function forward(resources: Stack['Resources'], input: unknown): Promise<BusEvent[]> {
  const published: BusEvent[] = [];
  const execution = await execute(machineOf(resources), 'forward', Object(input), async (_, __, parameters) => {
    const { Entries } = parameters as { Entries: PutEventsRequestEntry[] };
    // Step Functions sends an object as JSON.
    published.push(...(await put(Entries.map((entry) => ({ ...entry, Detail: JSON.stringify(entry.Detail) })))));
    return { result: {} };
  });
  expect(execution).toMatchObject({ status: 'SUCCEEDED' });
  return published;
}

const machineOf = (resources: Stack['Resources']): Machine => {
  const { Definition } = Object(resources['Forward']?.Properties);
  return JSON.parse(JSON.stringify(Definition).replaceAll(`$\{SessionBusArn}`, d.aws.events.createBus(BUS)));
};

const jobEvent = (type: string, detail: object, source = 'com.example.jobs') =>
  ({ source, 'detail-type': type, detail }) as const;

/** A job starts and ends. Returns the number of live sessions after each, and what reached the queue. */
async function playJob(rules: string) {
  const jobId = `nightly-${jobs}`;
  const queued = await play(jobEvent('Job Started', { jobId, array: 'fb1' }), true, rules);
  const open = d.simulator.sessions().length;
  queued.push(...(await play(jobEvent('Job Ended', { jobId }), true, rules)));
  return { jobId, queued, open, left: d.simulator.sessions().length };
}

describe('the entries for put-events', () => {
  test('open a session and close it, and the bus carries both results', async () => {
    const opened = await put(JSON.parse(read('eventbridge/request-session.json')));
    expect(opened).toMatchObject([{ 'detail-type': 'Session Opened', detail: { leaseId: 'nightly-2026-11-24' } }]);
    expect(d.simulator.sessions()).toHaveLength(1);
    const closed = await put(JSON.parse(read('eventbridge/release-session.json')));
    expect(closed).toMatchObject([{ 'detail-type': 'Session Closed', detail: { leaseId: 'nightly-2026-11-24' } }]);
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.leaks()).toEqual([]);
  });

  test('open nothing with another detail type', async () => {
    const entries = changed(read('eventbridge/request-session.json'), 'Session Requested', 'Session Wanted');
    expect(await put(JSON.parse(entries))).toEqual([]);
    expect(d.simulator.sessions()).toEqual([]);
  });
});

describe('the rules', () => {
  test('give a job a session from its start to its end, and pass the open session to the next step', async () => {
    const { jobId, queued, open, left } = await playJob(RULES);
    expect({ open, left }).toEqual({ open: 1, left: 0 });
    expect(queued).toEqual([
      { leaseId: jobId, array: 'fb1', username: 'pureuser', expiresAt: expect.any(Number), owner: jobId },
    ]);
    expect(await d.lease(jobId)).toMatchObject({ state: 'CLOSED' });
    expect(await d.leaks({ queue: JSON.stringify(queued) })).toEqual([]);
  });

  test('ignore events of other sources, other types and other owners', async () => {
    const logins = d.simulator.history.length;
    const detail = { jobId: `nightly-${jobs}`, array: 'fb1' };
    expect(await play(jobEvent('Job Started', detail, 'com.example.others'), true, RULES)).toEqual([]);
    expect(await play(jobEvent('Job Queued', detail), true, RULES)).toEqual([]);
    expect(await play(jobEvent('Job Started', detail), false, RULES)).toEqual([]);
    expect(await play(jobEvent('Session Opened', { owner: 'weekly-1' }, 'flashblade-sessions'), false, RULES)).toEqual(
      [],
    );
    expect(d.simulator.history).toHaveLength(logins);
  });

  test.each([
    ['another type of request', '"type": "Session Requested"', '"type": "Session Wanted"', { open: 0, left: 0 }],
    ['a path that is not in the event', 'array: $.detail.array', 'array: $.detail.arrays', undefined],
    ['no owner', ', "owner": <job> } }\n', ' } }\n', { open: 1, left: 1 }],
    [
      'another owner at the end',
      '"detail": { "owner": <job> } }',
      '"detail": { "owner": "job" } }',
      { open: 1, left: 1 },
    ],
  ])('do not work when changed to have %s', async (_, find, replacement, expected) => {
    const played = playJob(changed(RULES, find, replacement));
    if (expected === undefined) await expect(played).rejects.toThrow('JSON');
    else expect(await played).toMatchObject(expected);
  });

  test('are a valid CloudFormation template with a valid state machine', { timeout: 60_000 }, () => {
    expect(errorsIn(`${EXAMPLES}/eventbridge/rules.yml`)).toEqual([]);
    expect(aslValidator(structuredClone(machineOf((parse(RULES) as Stack).Resources))).errorsText()).toBe('');
  });
});
