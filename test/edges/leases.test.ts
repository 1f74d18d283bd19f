/** One suite for both stores: what the proofs run on in memory must promise what DynamoDB promises. */
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { type LeaseStore, leasesOf, type Slot } from '../../lib/edges/leases.ts';
import type { LeaseItem, Opening } from '../../lib/ground/lease-items.ts';
import { close, intend, record, suspect } from '../../lib/ground/lease-states.ts';
import { endOwner } from '../../lib/ground/ledger-marks.ts';
import type { FlashBlade } from '../../lib/ground/model.ts';
import { awsWithClients } from '../aws/clients.ts';
import { leaseTable } from '../packaged.ts';
import { memoryStore } from '../story/memory-store.ts';
import { noPatience, patience } from './patience.ts';

const TARGET: FlashBlade = {
  name: 'fb1',
  host: 'fb1.example.com',
  port: 443,
  trust: { kind: 'fingerprints', fingerprints: ['ab'] },
};
const soon = (): number => Date.now() + 60_000;
const slot = (attemptId: string): Slot => ({ attemptId, leaseId: 'job', until: 100 });
patience();

function opening(version: string, attemptId = 'attempt-1'): LeaseItem {
  const intent = {
    leaseId: 'job',
    attemptId,
    target: TARGET,
    leaseSeconds: 900,
    openingUntil: 1_800_000_036,
    owner: 'me',
  };
  const decision = intend(undefined, intent, 1_800_000_000);
  if (!('write' in decision)) throw new Error('nothing to write');
  return { ...decision.write, version };
}

async function dynamo(options: { maxAttempts?: number } = {}) {
  const { aws, dynamodb } = await awsWithClients(options);
  await aws.dynamodb.createTable(leaseTable(), 'leases');
  return { aws, dynamodb, store: leasesOf(dynamodb, 'leases') };
}

const STORES: [string, () => Promise<LeaseStore>][] = [
  ['memory', async () => memoryStore()],
  ['DynamoDB', async () => (await dynamo()).store],
];

describe.each(STORES)('the ledger in %s', (_name, make) => {
  it('gives back what was written, all of it and nothing else', async () => {
    const store = await make();
    const item = opening('v1');
    expect(await store.write(item, undefined, soon())).toBe(true);
    expect(await store.read(item.id, soon())).toEqual(item);
    expect(await store.read('lease#other', soon())).toBeUndefined();
  });

  it('writes only over what it was told to replace: nothing, or that attempt in that version', async () => {
    const store = await make();
    const first = opening('v1');
    expect(await store.write(first, undefined, soon())).toBe(true);
    expect(await store.write(opening('v2'), undefined, soon())).toBe(false);
    expect(await store.write(opening('v2'), { ...first, version: 'v0' }, soon())).toBe(false);
    expect(await store.write(opening('v2'), { ...first, attemptId: 'attempt-0' }, soon())).toBe(false);
    expect(await store.read(first.id, soon())).toEqual(first);
    expect(await store.write(opening('v2'), first, soon())).toBe(true);
    expect(await store.read(first.id, soon())).toMatchObject({ version: 'v2' });
  });

  it('removes only what it was told to remove', async () => {
    const store = await make();
    const item = opening('v1');
    await store.write(item, undefined, soon());
    expect(await store.remove({ ...item, attemptId: 'attempt-0' }, soon())).toBe(false);
    expect(await store.remove({ ...item, version: 'v0' }, soon())).toBe(false);
    expect(await store.remove(item, soon())).toBe(true);
    expect(await store.read(item.id, soon())).toBeUndefined();
  });

  it('lets one of many writers win', async () => {
    const store = await make();
    const first = opening('v0');
    await store.write(first, undefined, soon());
    const wins = await Promise.all(Array.from({ length: 20 }, (_, n) => store.write(opening(`w${n}`), first, soon())));
    expect(wins.filter(Boolean)).toHaveLength(1);
  });

  it('gives away as many slots of an array as there are, each attempt one, and takes them back', async () => {
    const store = await make();
    const take = (attemptId: string) => store.takeSlot('fb1', slot(attemptId), 2, soon());
    expect([await take('a'), await take('b'), await take('c'), await take('b')]).toEqual([true, true, false, true]);
    await store.freeSlot('fb1', slot('b'), soon());
    await store.freeSlot('fb1', slot('b'), soon());
    await store.freeSlot('fb2', slot('b'), soon());
    expect(await take('c')).toBe(true);
    expect(await store.slots('fb1', soon())).toEqual(
      new Map([slot('a'), slot('c')].map((one) => [one.attemptId, one])),
    );
    expect(await store.slots('fb9', soon())).toEqual(new Map());
  });

  it.each(['__proto__', 'constructor', 'a', 'suspect#a'])(
    'knows slots by attempts alone: the lease is %s',
    async (leaseId) => {
      const store = await make();
      const slots = ['a', 'b'].map((attemptId) => ({ ...slot(attemptId), leaseId }));
      for (const one of slots) expect(await store.takeSlot('fb1', one, 2, soon())).toBe(true);
      expect([...(await store.slots('fb1', soon())).values()]).toEqual(slots);
      await store.freeSlot('fb1', slot('b'), soon());
      expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
    },
  );

  it('hands the slot of an attempt over to another one, once, also when all are taken', async () => {
    const store = await make();
    const move = (from: string, to: string) => store.moveSlot('fb1', from, slot(to), 1, soon());
    expect(await move('none', 'a')).toBe(true);
    expect([await move('a', 'b'), await move('a', 'b'), await move('a', 'c')]).toEqual([true, true, false]);
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['b']);
  });

  it('gives back a slot of version 0.1.0 with a closed lease only, and none of an attempt whose id a lease has', async () => {
    const store = await make();
    await store.takeSlot('fb1', slot('a'), 9, soon());
    await store.freeSlot('fb1', { attemptId: 'gone', leaseId: 'a' }, soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
    await store.freeSlot('fb1', { attemptId: 'gone' }, soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
  });

  it('keeps the slot of a SUSPECT beyond the limit, and lets its attempt take none by it', async () => {
    const store = await make();
    await store.takeSlot('fb1', slot('a'), 1, soon());
    await store.keepSlot('fb1', { ...slot('b'), suspect: true }, soon());
    await store.keepSlot('fb2', { ...slot('b'), suspect: true }, soon());
    expect((await store.slots('fb1', soon())).get('b')).toEqual({ ...slot('b'), suspect: true });
    expect([...(await store.slots('fb2', soon())).keys()]).toEqual(['b']);
    expect(await store.takeSlot('fb1', slot('b'), 1, soon())).toBe(false);
    expect(await store.takeSlot('fb1', slot('b'), 9, soon())).toBe(false);
    expect(await store.moveSlot('fb1', 'none', slot('b'), 9, soon())).toBe(false);
  });

  it('lists all that is not settled, soonest first', async () => {
    const store = await make();
    const first = opening('v1');
    const until = first.dueAt ?? 0;
    const { dueAt: _dueAt, ...settled } = opening('v1');
    await store.write(first, undefined, soon());
    await store.write({ ...settled, id: 'lease#settled', leaseId: 'settled' } as LeaseItem, undefined, soon());
    await store.write(endOwner('arn:x#y', 'attempt-2', until - 100), undefined, soon());
    await store.write(suspect(first as Opening, 60), undefined, soon());
    await store.takeSlot('fb1', { ...slot('x'), until: until + 1 }, 3, soon());
    expect(await store.pending(soon())).toEqual([
      { kind: 'owner', id: 'arn:x#y', dueAt: until - 40 },
      { kind: 'lease', id: 'job', array: 'fb1', state: 'OPENING', dueAt: until },
      { kind: 'slots', id: 'fb1', array: 'fb1', dueAt: until + 1 },
      { kind: 'suspect', id: 'attempt-1', array: 'fb1', dueAt: until + 120 + 60 },
    ]);
  });

  it("looks at an array's slots again when it was told to, and never while none is taken", async () => {
    const store = await make();
    await store.takeSlot('fb1', slot('x'), 3, soon());
    await store.lookAtSlots('fb1', 700, soon());
    expect(await store.pending(soon())).toMatchObject([{ kind: 'slots', dueAt: 700 }]);
    await store.freeSlot('fb1', slot('x'), soon());
    await store.lookAtSlots('fb1', 800, soon());
    expect(await store.pending(soon())).toEqual([]);
    await store.lookAtSlots('fb9', 800, soon());
    expect(await store.pending(soon())).toEqual([]);
  });

  it("lists the leases of an owner, and nobody else's", async () => {
    const store = await make();
    await store.write(opening('v1'), undefined, soon());
    await store.write(
      { ...opening('v1'), id: 'lease#other', leaseId: 'other', owner: 'you' } as LeaseItem,
      undefined,
      soon(),
    );
    expect(await store.ofOwner('me', soon())).toEqual(['job']);
    expect(await store.ofOwner('nobody', soon())).toEqual([]);
  });

  it('does not list a lease that was closed before its owner ended, and keeps whose it was', async () => {
    const store = await make();
    const item = opening('v1') as Opening;
    await store.write(item, undefined, soon());
    const closed = close(item, 1_800_000_100);
    await store.write({ ...closed, version: 'v2' }, item, soon());
    expect(await store.ofOwner('me', soon())).toEqual([]);
    expect(await store.read(item.id, soon())).toEqual({ ...closed, version: 'v2' });
    await store.write({ ...closed, byOwner: true, version: 'v3' }, { ...closed, version: 'v2' }, soon());
    expect(await store.ofOwner('me', soon())).toEqual(['job']);
    expect(await store.read(item.id, soon())).toMatchObject({ owner: 'me', byOwner: true });
  });

  it('gives away no slot too many when an array is asked for the first time by many at once', async () => {
    const store = await make();
    const taken = await Promise.all(
      Array.from({ length: 14 }, (_, n) => store.takeSlot('fb1', slot(`attempt-${n}`), 7, soon())),
    );
    expect(taken.filter(Boolean)).toHaveLength(7);
  });
});

describe('the ledger in DynamoDB', () => {
  it('hands over and gives back a slot that version 0.1.0 took for a lease', async () => {
    const { dynamodb, store } = await dynamo();
    await store.takeSlot('fb1', slot('other'), 9, soon());
    const takeFormer = () =>
      dynamodb.send(
        new UpdateItemCommand({
          TableName: 'leases',
          Key: { id: { S: 'array#fb1' } },
          UpdateExpression: 'SET live.job = :slot',
          ExpressionAttributeValues: { ':slot': { M: { attemptId: { S: 'theirs' }, until: { N: '1' } } } },
        }),
      );
    const names = async () => [...(await store.slots('fb1', soon())).keys()].sort();
    await takeFormer();
    expect((await store.slots('fb1', soon())).get('job')).toEqual({ attemptId: 'theirs', until: 1 });
    expect(await store.moveSlot('fb1', 'theirs', slot('a'), 2, soon())).toBe(true);
    expect(await names()).toEqual(['a', 'other']);
    await takeFormer();
    await store.freeSlot('fb1', { attemptId: 'b' }, soon());
    expect(await names()).toEqual(['a', 'job', 'other']);
    await store.freeSlot('fb1', { attemptId: 'b', leaseId: 'job' }, soon());
    expect(await names()).toEqual(['a', 'other']);
  });

  it('knows its own write again when the answer was lost and the SDK repeats it', async () => {
    const { aws, store } = await dynamo({ maxAttempts: 3 });
    const first = opening('v1');
    aws.faults.add({ service: 'dynamodb', action: 'PutItem', kind: 'lost answer', times: 1 });
    expect(await store.write(first, undefined, soon())).toBe(true);
    aws.faults.add({ service: 'dynamodb', action: 'PutItem', kind: 'lost answer', times: 1 });
    expect(await store.write({ ...first, version: 'v2' }, first, soon())).toBe(true);
    aws.faults.add({ service: 'dynamodb', action: 'DeleteItem', kind: 'lost answer', times: 1 });
    expect(await store.remove({ ...first, version: 'v2' }, soon())).toBe(true);
    const lose = () => aws.faults.add({ service: 'dynamodb', action: 'UpdateItem', kind: 'lost answer', times: 1 });
    await store.takeSlot('fb1', slot('first'), 9, soon());
    lose();
    expect(await store.takeSlot('fb1', slot('a'), 2, soon())).toBe(true);
    lose();
    expect(await store.moveSlot('fb1', 'a', slot('b'), 2, soon())).toBe(true);
    lose();
    await store.freeSlot('fb1', slot('b'), soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['first']);
  });

  it('puts into the due index what must be looked at, and nothing else', async () => {
    const { aws, store } = await dynamo();
    const item = opening('v1');
    await store.write(item, undefined, soon());
    expect(await aws.dynamodb.scan('leases')).toMatchObject([{ duePartition: 'due', array: 'fb1', owner: 'me' }]);
    const { dueAt: _dueAt, ...closed } = item;
    await store.write({ ...closed, version: 'v2' } as LeaseItem, item, soon());
    expect((await aws.dynamodb.scan('leases'))[0]).not.toHaveProperty('duePartition');
  });

  it.each(['throttle', 'deny', 'reset', 'garbage'] as const)(
    'says AWS_UNAVAILABLE, and what it was about, on "%s"',
    async (kind) => {
      const { aws, store } = await dynamo();
      aws.faults.add({ service: 'dynamodb', kind });
      const calls = [
        store.read('lease#job', soon()),
        store.write(opening('v1'), undefined, soon()),
        store.remove(opening('v1'), soon()),
        store.takeSlot('fb1', slot('x'), 2, soon()),
        store.freeSlot('fb1', slot('x'), soon()),
      ];
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'AWS_UNAVAILABLE' } });
        if (result.status === 'rejected') expect(result.reason.message).toContain('lease table');
      }
    },
  );

  it('waits no longer than it was told for an answer that never comes', async () => {
    const { aws, store } = await dynamo();
    aws.faults.add({ service: 'dynamodb', kind: 'hang' });
    noPatience();
    await expect(store.read('lease#job', Date.now() + 100)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await expect(store.read('lease#job', Date.now() - 1)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
  });

  it('reads items and slots consistently: whoever looks after a write sees it', async () => {
    const asked: unknown[] = [];
    const send = async ({ input }: { input: object }) => {
      asked.push(input);
      return {};
    };
    const store = leasesOf({ send } as unknown as DynamoDBClient, 'leases');
    expect(await store.read('lease#job', soon())).toBeUndefined();
    expect([...(await store.slots('fb1', soon()))]).toEqual([]);
    expect(asked).toEqual([
      { TableName: 'leases', Key: { id: { S: 'lease#job' } }, ConsistentRead: true },
      { TableName: 'leases', Key: { id: { S: 'array#fb1' } }, ConsistentRead: true },
    ]);
  });

  it('says which of its works the ledger could not do', async () => {
    const { aws, store } = await dynamo();
    aws.faults.add({ service: 'dynamodb', kind: 'deny' });
    const results = await Promise.allSettled([
      store.read('lease#job', soon()),
      store.slots('fb1', soon()),
      store.pending(soon()),
      store.ofOwner('me', soon()),
      store.write(opening('v1'), undefined, soon()),
      store.remove(opening('v1'), soon()),
      store.takeSlot('fb1', slot('x'), 2, soon()),
      store.moveSlot('fb1', 'y', slot('x'), 2, soon()),
      store.keepSlot('fb1', slot('x'), soon()),
      store.freeSlot('fb1', slot('x'), soon()),
      store.lookAtSlots('fb1', 1, soon()),
    ]);
    const told = results.map(
      (result) => /^could not (.*): AWS/.exec(String((result as PromiseRejectedResult).reason?.message))?.[1],
    );
    expect(told).toEqual([
      ...Array(4).fill('read the lease table'),
      'write to the lease table',
      'remove from the lease table',
      ...Array(3).fill("take one of the array's slots in the lease table"),
      "give back one of the array's slots in the lease table",
      "note in the lease table when to look at the array's slots",
    ]);
  });

  it('writes no attribute that an item does not have', async () => {
    const { store } = await dynamo();
    const item = { ...opening('v1'), owner: undefined } as unknown as LeaseItem;
    await store.write(item, undefined, soon());
    expect(Object.keys((await store.read(item.id, soon())) ?? {})).not.toContain('owner');
    const { target: _, ...targetless } = opening('v1');
    const tombstone = { ...targetless, id: 'lease#none', state: 'CLOSED', target: undefined } as unknown as LeaseItem;
    expect(await store.write(tombstone, undefined, soon())).toBe(true);
  });

  it('does not read an index for ever', async () => {
    const endless = { send: async () => ({ LastEvaluatedKey: { id: { S: 'lease#job' } } }) };
    const store = leasesOf(endless as unknown as DynamoDBClient, 'leases');
    await expect(store.pending(Date.now() + 60_000)).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining('1000 pages'),
    });
  });

  it('holds an open lease as text that shows no token', async () => {
    const { aws, store } = await dynamo();
    const first = opening('v1');
    if (first.state !== 'OPENING') throw new Error('not opening');
    await store.write(first, undefined, soon());
    const open = { ...record(first, first, { username: 'pureuser', sealed: '1.a.b.c' }), version: 'v2' };
    expect(await store.write(open, first, soon())).toBe(true);
    expect(await store.read(first.id, soon())).toEqual(open);
    expect(await aws.dynamodb.scan('leases')).toMatchObject([
      { sealed: '1.a.b.c', target: { host: 'fb1.example.com' } },
    ]);
  });
});
