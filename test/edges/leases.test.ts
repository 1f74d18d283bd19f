/** One suite for both stores: what the proofs run on in memory must promise what DynamoDB promises. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { type LeaseStore, leasesOf } from '../../lib/edges/leases.ts';
import type { LeaseItem, Opening } from '../../lib/ground/lease-items.ts';
import { intend, record, suspect } from '../../lib/ground/lease-states.ts';
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

/** A store after each of whose calls, the first ones, something else happens. */
function interrupted(client: DynamoDBClient, happenings: (() => Promise<unknown>)[]): LeaseStore {
  const send = async (...call: Parameters<DynamoDBClient['send']>) => {
    try {
      return await client.send(...call);
    } finally {
      await happenings.shift()?.();
    }
  };
  return leasesOf({ send } as unknown as DynamoDBClient, 'leases');
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

  it('gives away as many places of an array as there are, each lease one, and takes them back', async () => {
    const store = await make();
    const join = (leaseId: string) => store.join('fb1', leaseId, { attemptId: 'x', until: 1, limit: 2 }, soon());
    expect(await join('arn:aws:states:eu-west-1:1:execution:a.b:c')).toBe(true);
    expect(await join('b')).toBe(true);
    expect(await join('c')).toBe(false);
    expect(await join('b')).toBe(true);
    await store.leave('fb1', 'b', soon());
    await store.leave('fb1', 'b', soon());
    await store.leave('fb2', 'b', soon());
    expect(await join('c')).toBe(true);
  });

  it('tells which places are taken and by whom, and gives one back only to the attempt that took it and shares it with none', async () => {
    const store = await make();
    const [a, b] = [
      { attemptId: 'first', until: 100 },
      { attemptId: 'second', until: 200 },
    ];
    await store.join('fb1', 'job', { ...a, limit: 3 }, soon());
    await store.join('fb1', 'job', { ...b, limit: 3 }, soon());
    await store.join('fb1', 'other', { ...b, limit: 3 }, soon());
    await store.join('fb1', 'other', { ...b, limit: 3 }, soon());
    await store.leave('fb1', 'job', soon(), 'first');
    await store.leave('fb1', 'job', soon(), 'second');
    await store.leave('fb1', 'other', soon(), 'second');
    const shared = { attemptId: 'shared by second', until: 200 };
    expect(await store.places('fb1', soon())).toEqual(new Map([['job', shared]]));
    await store.leave('fb1', 'job', soon(), shared.attemptId);
    expect(await store.places('fb1', soon())).toEqual(new Map());
    expect(await store.places('fb9', soon())).toEqual(new Map());
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
    await store.join('fb1', 'job', { attemptId: 'x', until: until + 1, limit: 3 }, soon());
    expect(await store.pending(soon())).toEqual([
      { kind: 'owner', id: 'arn:x#y', dueAt: until - 40 },
      { kind: 'lease', id: 'job', array: 'fb1', state: 'OPENING', dueAt: until },
      { kind: 'places', id: 'fb1', array: 'fb1', dueAt: until + 1 },
      { kind: 'suspect', id: 'attempt-1', array: 'fb1', dueAt: until + 60 },
    ]);
  });

  it("looks at an array's places again when it was told to, and never while none is taken", async () => {
    const store = await make();
    await store.join('fb1', 'a', { attemptId: 'x', until: 100, limit: 3 }, soon());
    await store.lookAtPlaces('fb1', 700, soon());
    expect(await store.pending(soon())).toMatchObject([{ kind: 'places', dueAt: 700 }]);
    await store.leave('fb1', 'a', soon());
    await store.lookAtPlaces('fb1', 800, soon());
    expect(await store.pending(soon())).toEqual([]);
    await store.lookAtPlaces('fb9', 800, soon());
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

  it('gives away no place too many when an array is asked for the first time by many at once', async () => {
    const store = await make();
    const joined = await Promise.all(
      Array.from({ length: 14 }, (_, n) =>
        store.join('fb1', `job-${n}`, { attemptId: 'x', until: 1, limit: 7 }, soon()),
      ),
    );
    expect(joined.filter(Boolean)).toHaveLength(7);
  });
});

describe('the ledger in DynamoDB', () => {
  it('does not take an array for full because others take and give back the same place meanwhile', async () => {
    const { dynamodb, store } = await dynamo();
    const join = (by: LeaseStore, attemptId: string) =>
      by.join('fb1', 'job', { attemptId, until: 1, limit: 3 }, soon());
    await join(store, 'first');
    const giveBack = () => store.leave('fb1', 'job', soon(), 'first');
    const nothing = async () => {};
    expect(await join(interrupted(dynamodb, [giveBack, nothing, () => join(store, 'second')]), 'third')).toBe(true);
    expect((await store.places('fb1', soon())).get('job')?.attemptId).toBe('shared by third');
  });

  it('says so if others change the places of an array without an end, and does not call it full', async () => {
    const { dynamodb, store } = await dynamo();
    const take = () => store.join('fb1', 'job', { attemptId: 'other', until: 1, limit: 3 }, soon());
    const giveBack = () => store.leave('fb1', 'job', soon());
    const nothing = async () => {};
    await take();
    const happenings = Array.from({ length: 5 }, () => [giveBack, nothing, nothing, take]).flat();
    const joined = interrupted(dynamodb, happenings).join('fb1', 'job', { attemptId: 'x', until: 1, limit: 3 }, soon());
    await expect(joined).rejects.toMatchObject({
      code: 'LEASE_OPENING',
      message: 'other calls are changing the places of array fb1: try again',
    });
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
        store.join('fb1', 'job', { attemptId: 'x', until: 1, limit: 2 }, soon()),
        store.leave('fb1', 'job', soon()),
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

  it('reads items and places consistently: whoever looks after a write sees it', async () => {
    const asked: unknown[] = [];
    const send = async ({ input }: { input: object }) => {
      asked.push(input);
      return {};
    };
    const store = leasesOf({ send } as unknown as DynamoDBClient, 'leases');
    expect(await store.read('lease#job', soon())).toBeUndefined();
    expect([...(await store.places('fb1', soon()))]).toEqual([]);
    expect(asked).toEqual([
      { TableName: 'leases', Key: { id: { S: 'lease#job' } }, ConsistentRead: true },
      { TableName: 'leases', Key: { id: { S: 'array#fb1' } }, ConsistentRead: true },
    ]);
  });

  it('says which of its works the ledger could not do', async () => {
    const { aws, store } = await dynamo();
    aws.faults.add({ service: 'dynamodb', kind: 'deny' });
    const place = { attemptId: 'x', until: 1, limit: 2 };
    const results = await Promise.allSettled([
      store.read('lease#job', soon()),
      store.places('fb1', soon()),
      store.pending(soon()),
      store.ofOwner('me', soon()),
      store.write(opening('v1'), undefined, soon()),
      store.remove(opening('v1'), soon()),
      store.join('fb1', 'job', place, soon()),
      store.leave('fb1', 'job', soon()),
      store.lookAtPlaces('fb1', 1, soon()),
    ]);
    const told = results.map(
      (result) => /^could not (.*): AWS/.exec(String((result as PromiseRejectedResult).reason?.message))?.[1],
    );
    expect(told).toEqual([
      ...Array(4).fill('read the lease table'),
      'write to the lease table',
      'remove from the lease table',
      "take one of the array's places in the lease table",
      "give back one of the array's places in the lease table",
      "note in the lease table when to look at the array's places",
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
