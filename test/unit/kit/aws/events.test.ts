import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

const entry = (fields: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
  Source: 'test',
  DetailType: 'Tested',
  Detail: '{"n":1}',
  ...fields,
});

async function withBus() {
  const { aws, eventBridge } = await awsWithClients();
  const arn = aws.events.createBus('jobs');
  const put = (...Entries: PutEventsRequestEntry[]) => eventBridge.send(new PutEventsCommand({ Entries }));
  return { aws, arn, put };
}

describe('PutEvents', () => {
  test('an event arrives on its bus, identified by name, by ARN or by default', async () => {
    const { aws, arn, put } = await withBus();
    expect(arn).toBe('arn:aws:events:eu-central-1:123456789012:event-bus/jobs');
    const answer = await put(entry({ EventBusName: 'jobs' }), entry({ EventBusName: arn }), entry());
    expect(answer.FailedEntryCount).toBe(0);
    expect(aws.events.sent.map(({ bus }) => bus)).toEqual(['jobs', 'jobs', 'default']);
    expect(aws.events.sent[0]).toEqual({
      id: answer.Entries?.[0]?.EventId,
      bus: 'jobs',
      source: 'test',
      detailType: 'Tested',
      detail: { n: 1 },
    });
  });

  test('an event for a bus that does not exist is accepted and lost, as with EventBridge', async () => {
    const { aws, put } = await withBus();
    expect((await put(entry({ EventBusName: 'nowhere' }))).FailedEntryCount).toBe(0);
    expect(aws.events.sent).toEqual([]);
  });

  test('a test can have the next entries refused while the call succeeds', async () => {
    const { aws, put } = await withBus();
    aws.events.refuseEntries(2, 'ThrottlingException');
    const answer = await put(entry(), entry(), entry());
    expect(answer).toMatchObject({ $metadata: { httpStatusCode: 200 }, FailedEntryCount: 2 });
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'ThrottlingException',
      'ThrottlingException',
      undefined,
    ]);
    expect(aws.events.sent).toHaveLength(1);
  });

  test.each([
    ['no entry', []],
    ['eleven entries', Array.from({ length: 11 }, () => entry())],
    ['a detail of more than 256 KiB', [entry({ Detail: JSON.stringify({ text: 'ü'.repeat(128 * 1024) }) })]],
    ['a detail that is not JSON', [entry({ Detail: 'text' })]],
    ['a detail that is a list', [entry({ Detail: '[1]' })]],
    ['no detail', [entry({ Detail: undefined })]],
    ['no source', [entry({ Source: undefined })]],
    ['a source of AWS', [entry({ Source: 'aws.states' })]],
    ['an empty detail type', [entry({ DetailType: '' })]],
  ])('a call with %s is refused', async (_case, entries) => {
    const { aws, put } = await withBus();
    await expect(put(...entries)).rejects.toMatchObject({ name: 'ValidationException' });
    expect(aws.events.sent).toEqual([]);
  });

  test('the log contains nothing of the event', async () => {
    const { aws, put } = await withBus();
    await put(entry({ EventBusName: 'jobs', Detail: '{"token":"secret"}' }));
    expect(aws.calls).toEqual([{ service: 'events', action: 'PutEvents', status: 200 }]);
  });
});
