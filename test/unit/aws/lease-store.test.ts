import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { createLeaseStore } from '../../../lib/aws/lease-store.ts';
import type { LeaseStore } from '../../../lib/leases/ports.ts';
import { memoryStore } from '../../../lib/testing/store.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { dynamoDbCases, opening, slot, soon, storeCases } from '../../kit/lease-store-cases.ts';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { noPatience, patience } from './patience.ts';

patience();

async function dynamo({ dueShards, ...options }: { maxAttempts?: number; dueShards?: number } = {}) {
  const { aws, dynamodb } = await awsWithClients(options);
  await aws.dynamodb.createTable(LEASE_TABLE, 'leases');
  return {
    ...{ aws, dynamodb, table: 'leases', store: createLeaseStore(dynamodb, 'leases', randomUUID, dueShards) },
    scan: () => aws.dynamodb.scan('leases'),
    lose: (action: string) => aws.faults.add({ service: 'dynamodb', action, kind: 'lost answer', times: 1 }),
    count: (action: string) => aws.calls.filter((call) => call.action === action).length,
  };
}

const STORES: [string, () => Promise<LeaseStore>][] = [
  ['memory', async () => memoryStore()],
  ['DynamoDB', async () => (await dynamo()).store],
  ['DynamoDB, with shards', async () => (await dynamo({ dueShards: 16 })).store],
];

describe.each(STORES)('the ledger in %s', (_name, make) => storeCases(make));

describe('the ledger in DynamoDB', () => {
  dynamoDbCases(dynamo);

  it('lists an entry once if it moves to another partition while the partitions are read', async () => {
    const row = marshall({ id: 'lease#job', dueAt: 5, state: 'OPEN', array: 'fb1' });
    const send = async ({ input }: { input: { ExpressionAttributeValues: { ':due': { S: string } } } }) =>
      ['due', 'due#3'].includes(input.ExpressionAttributeValues[':due'].S) ? { Items: [row] } : { Items: [] };
    const store = createLeaseStore({ send } as unknown as DynamoDBClient, 'leases', randomUUID);
    expect(await store.pending(soon())).toEqual([{ kind: 'lease', id: 'job', array: 'fb1', state: 'OPEN', dueAt: 5 }]);
  });

  it('reads all partitions of the index at once', async () => {
    const asked: string[] = [];
    const { promise, resolve } = Promise.withResolvers<object>();
    const send = ({ input }: { input: { ExpressionAttributeValues: { ':due': { S: string } } } }) => {
      asked.push(input.ExpressionAttributeValues[':due'].S);
      if (asked.length === 17) resolve({});
      return promise;
    };
    const store = createLeaseStore({ send } as unknown as DynamoDBClient, 'leases', randomUUID);
    expect(await store.pending(soon())).toEqual([]);
    expect(asked).toEqual(['due', ...Array.from({ length: 16 }, (_, n) => `due#${n}`)]);
  });

  it.each(['throttle', 'deny', 'reset', 'garbage'] as const)(
    'throws AWS_UNAVAILABLE and names the lease table if DynamoDB fails (%s)',
    async (kind) => {
      const { aws, store } = await dynamo();
      aws.faults.add({ service: 'dynamodb', kind });
      const calls = [
        store.read('lease#job', soon()),
        store.write(opening(), undefined, soon()),
        store.remove({ ...opening(), version: 'v1' }, soon()),
        store.takeSlot('fb1', slot('x'), 2, soon()),
        store.freeSlot('fb1', slot('x'), soon()),
      ];
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'AWS_UNAVAILABLE' } });
        if (result.status === 'rejected') expect(result.reason.message).toContain('lease table');
      }
    },
  );

  it('waits for a response no longer than its caller allows', async () => {
    const { aws, store } = await dynamo();
    aws.faults.add({ service: 'dynamodb', kind: 'hang' });
    noPatience();
    await expect(store.read('lease#job', Date.now() + 100)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await expect(store.read('lease#job', Date.now() - 1)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
  });

  it('reads items and slots with strong consistency', async () => {
    const inputs: unknown[] = [];
    const send = async ({ input }: { input: object }) => {
      inputs.push(input);
      return {};
    };
    const store = createLeaseStore({ send } as unknown as DynamoDBClient, 'leases', randomUUID);
    expect(await store.read('lease#job', soon())).toBeUndefined();
    expect([...(await store.slots('fb1', soon()))]).toEqual([]);
    expect(inputs).toEqual([
      { TableName: 'leases', Key: { id: { S: 'lease#job' } }, ConsistentRead: true },
      { TableName: 'leases', Key: { id: { S: 'array#fb1' } }, ConsistentRead: true },
    ]);
  });

  it('names the operation that failed', async () => {
    const { aws, store } = await dynamo();
    aws.faults.add({ service: 'dynamodb', kind: 'deny' });
    const results = await Promise.allSettled([
      store.read('lease#job', soon()),
      store.slots('fb1', soon()),
      store.pending(soon()),
      store.ofOwner('me', soon()),
      store.write(opening(), undefined, soon()),
      store.remove({ ...opening(), version: 'v1' }, soon()),
      store.takeSlot('fb1', slot('x'), 2, soon()),
      store.moveSlot('fb1', 'y', slot('x'), 2, soon()),
      store.keepSlot('fb1', slot('x'), soon()),
      store.freeSlot('fb1', slot('x'), soon()),
      store.lookAtSlots('fb1', 1, soon()),
    ]);
    const failed = results.map(
      (result) => /^could not (.*): AWS/.exec(String((result as PromiseRejectedResult).reason?.message))?.[1],
    );
    expect(failed).toEqual([
      ...Array(4).fill('read the lease table'),
      'write to the lease table',
      'remove from the lease table',
      ...Array(3).fill("take one of the array's slots in the lease table"),
      "free one of the array's slots in the lease table",
      "schedule the next check of the array's slots in the lease table",
    ]);
  });

  it('stops reading an index that has no end', async () => {
    const endless = { send: async () => ({ LastEvaluatedKey: { id: { S: 'lease#job' } } }) };
    const store = createLeaseStore(endless as unknown as DynamoDBClient, 'leases', randomUUID);
    await expect(store.pending(Date.now() + 60_000)).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining('1000 pages'),
    });
  });
});
