/**
 * The ledger's promises as test cases. The store in memory, which the proofs use, must keep the same ones as the store in DynamoDB, whether
 * a stand-in or another implementation of DynamoDB is behind it.
 */
import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, it } from 'vitest';
import { createLeaseStore } from '../../lib/aws/lease-store.ts';
import type { FlashBlade } from '../../lib/core/model.ts';
import type { Closed, Item, Opening, OwnerEnd, Refusal, Stored } from '../../lib/leases/items.ts';
import type { LeaseStore, Slot } from '../../lib/leases/ports.ts';
import { close, intend, record, suspect } from '../../lib/leases/states.ts';

const TARGET: FlashBlade = {
  name: 'fb1',
  host: 'fb1.example.com',
  port: 443,
  trust: { kind: 'fingerprints', fingerprints: ['ab'] },
};
export const soon = (): number => Date.now() + 60_000;
export const slot = (attemptId: string): Slot => ({ attemptId, leaseId: 'job', until: 100 });

export function opening(attemptId = 'attempt-1'): Opening {
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
  return decision.write;
}

const ownerEnd: OwnerEnd = { kind: 'owner', id: 'owner#arn:x#y', ownerId: 'arn:x#y', endedAt: 100, dueAt: 160 };
const refusal: Refusal = { kind: 'refusal', id: 'refusal#fb1#v1', until: 700, purgeAt: 700 };
const tombstone: Closed = {
  ...{ kind: 'lease', id: 'lease#none', leaseId: 'none', state: 'CLOSED' },
  ...{ createdAt: 100, closedAt: 100, purgeAt: 200 },
};
const WITHOUT_ATTEMPT: [string, Item][] = [
  ['the end of an owner', ownerEnd],
  ['a refusal', refusal],
  ['a tombstone', tombstone],
];

/** Writes an item that must not have changed. */
async function written<T extends Item>(store: LeaseStore, next: T, previous?: Stored<Item>): Promise<Stored<T>> {
  const stored = await store.write(next, previous, soon());
  if (stored === undefined) throw new Error('the item has changed');
  return stored;
}

const stale = <T extends Item>(item: Stored<T>): Stored<T> => ({ ...item, version: 'stale' });

/** Cases for every store. `make` creates a store without items. */
export function storeCases(make: () => Promise<LeaseStore>): void {
  it('reads what was written, all of it and nothing else', async () => {
    const store = await make();
    const item = opening();
    const stored = await written(store, item);
    expect(stored).toEqual({ ...item, version: expect.any(String) });
    expect(await store.read(item.id, soon())).toStrictEqual(stored);
    expect(await store.read('lease#other', soon())).toBeUndefined();
  });

  it('gives every write a new version, whatever version the item carries', async () => {
    const store = await make();
    const first = await written(store, opening());
    const second = await written(store, first, first);
    const third = await written(store, { ...second, version: first.version }, second);
    expect(new Set([first.version, second.version, third.version]).size).toBe(3);
    expect(await store.read(first.id, soon())).toStrictEqual(third);
  });

  it('replaces an item only if it is unchanged, and writes a new one only if there is none', async () => {
    const store = await make();
    const first = await written(store, opening());
    expect(await store.write(opening('attempt-2'), undefined, soon())).toBeUndefined();
    expect(await store.write(opening('attempt-2'), stale(first), soon())).toBeUndefined();
    expect(await store.read(first.id, soon())).toEqual(first);
    const second = await written(store, opening('attempt-2'), first);
    expect(await store.write(opening('attempt-3'), first, soon())).toBeUndefined();
    expect(await store.read(first.id, soon())).toEqual(second);
    expect(second.attemptId).toBe('attempt-2');
  });

  it('does not write over an item that was removed', async () => {
    const store = await make();
    const first = await written(store, opening());
    await store.remove(first, soon());
    expect(await store.write(opening('attempt-2'), first, soon())).toBeUndefined();
    expect(await store.read(first.id, soon())).toBeUndefined();
  });

  it('removes an item only if it is unchanged', async () => {
    const store = await make();
    const item = await written(store, opening());
    expect(await store.remove(stale(item), soon())).toBe(false);
    expect(await store.read(item.id, soon())).toEqual(item);
    expect(await store.remove(item, soon())).toBe(true);
    expect(await store.read(item.id, soon())).toBeUndefined();
  });

  it.each(WITHOUT_ATTEMPT)('reads, replaces and removes %s, which has no attempt', async (_what, item) => {
    const store = await make();
    const first = await written(store, item);
    expect(first).toStrictEqual({ ...item, version: first.version });
    expect(await store.read(item.id, soon())).toStrictEqual(first);
    const second = await written(store, item, first);
    expect(await store.read(item.id, soon())).toStrictEqual(second);
    expect(await store.remove(first, soon())).toBe(false);
    expect(await store.remove(second, soon())).toBe(true);
  });

  it('lets exactly one of many concurrent writers win', async () => {
    const store = await make();
    const first = await written(store, opening());
    const writes = Array.from({ length: 20 }, (_, n) => store.write(opening(`w${n}`), first, soon()));
    expect((await Promise.all(writes)).filter(Boolean)).toHaveLength(1);
  });

  it('gives each attempt one slot up to the limit, and frees slots again', async () => {
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
    'identifies slots by attempt, not by lease (%s)',
    async (leaseId) => {
      const store = await make();
      const slots = ['a', 'b'].map((attemptId) => ({ ...slot(attemptId), leaseId }));
      for (const one of slots) expect(await store.takeSlot('fb1', one, 2, soon())).toBe(true);
      expect([...(await store.slots('fb1', soon())).values()]).toEqual(slots);
      await store.freeSlot('fb1', slot('b'), soon());
      expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
    },
  );

  it('moves the slot of an attempt to another attempt once, even if all slots are taken', async () => {
    const store = await make();
    const move = (from: string, to: string) => store.moveSlot('fb1', from, slot(to), 1, soon());
    expect(await move('none', 'a')).toBe(true);
    expect([await move('a', 'b'), await move('a', 'b'), await move('a', 'c')]).toEqual([true, true, false]);
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['b']);
  });

  it('does not free the slot of an attempt whose id equals the id of a closed lease', async () => {
    const store = await make();
    await store.takeSlot('fb1', slot('a'), 9, soon());
    await store.freeSlot('fb1', { attemptId: 'gone', closedLeaseId: 'a' }, soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
    await store.freeSlot('fb1', { attemptId: 'gone' }, soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['a']);
  });

  it('keeps the slot of a SUSPECT beyond the limit, and the attempt itself cannot take it', async () => {
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

  it('lists everything that is not settled, by due time', async () => {
    const store = await make();
    const first = opening();
    const until = first.dueAt ?? 0;
    const { dueAt: _dueAt, ...settled } = first;
    await written(store, first);
    await written(store, { ...settled, id: 'lease#settled', leaseId: 'settled' });
    await written(store, { ...ownerEnd, dueAt: until - 40 });
    await written(store, suspect(first, 60));
    await store.takeSlot('fb1', { ...slot('x'), until: until + 1 }, 3, soon());
    expect(await store.pending(soon())).toEqual([
      { kind: 'owner', id: 'arn:x#y', dueAt: until - 40 },
      { kind: 'lease', id: 'job', array: 'fb1', state: 'OPENING', dueAt: until },
      { kind: 'slots', id: 'fb1', array: 'fb1', dueAt: until + 1 },
      { kind: 'suspect', id: 'attempt-1', array: 'fb1', dueAt: until + 120 + 60 },
    ]);
  });

  it("schedules the check of an array's slots, and drops it while no slot is taken", async () => {
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

  it('lists the leases of one owner only', async () => {
    const store = await make();
    await written(store, opening());
    await written(store, { ...opening(), id: 'lease#other', leaseId: 'other', owner: 'you' });
    expect(await store.ofOwner('me', soon())).toEqual(['job']);
    expect(await store.ofOwner('nobody', soon())).toEqual([]);
  });

  it('does not list a lease that was closed before its owner ended, but keeps its owner', async () => {
    const store = await make();
    const item = await written(store, opening());
    const closed = await written(store, close(item, 1_800_000_100), item);
    expect(await store.ofOwner('me', soon())).toEqual([]);
    expect(await store.read(item.id, soon())).toEqual(closed);
    expect(closed.owner).toBe('me');
    await written(store, { ...closed, byOwner: true }, closed);
    expect(await store.ofOwner('me', soon())).toEqual(['job']);
    expect(await store.read(item.id, soon())).toMatchObject({ owner: 'me', byOwner: true });
  });

  it('never exceeds the limit when many attempts take the first slots of an array at once', async () => {
    const store = await make();
    const taken = await Promise.all(
      Array.from({ length: 14 }, (_, n) => store.takeSlot('fb1', slot(`attempt-${n}`), 7, soon())),
    );
    expect(taken.filter(Boolean)).toHaveLength(7);
  });
}

/** A ledger in DynamoDB without items, and a second way into its table. */
export type DynamoDbLedger = {
  readonly store: LeaseStore;
  readonly dynamodb: DynamoDBClient;
  readonly table: string;
  /** Returns every item in the table. */
  readonly scan: () => Promise<Record<string, unknown>[]>;
  /** The next call with this action acts, but its response is lost. */
  readonly lose: (action: string) => void;
  /** How many calls with this action arrived. */
  readonly count: (action: string) => number;
};

/** Cases for stores in DynamoDB. */
export function dynamoDbCases(
  make: (options?: { maxAttempts?: number; dueShards?: number }) => Promise<DynamoDbLedger>,
): void {
  it('moves and frees a slot that version 0.1.0 took for a lease', async () => {
    const { dynamodb, store, table } = await make();
    await store.takeSlot('fb1', slot('other'), 9, soon());
    const takeFormer = () =>
      dynamodb.send(
        new UpdateItemCommand({
          TableName: table,
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
    await store.freeSlot('fb1', { attemptId: 'b', closedLeaseId: 'job' }, soon());
    expect(await names()).toEqual(['a', 'other']);
  });

  it('recognizes its own write when the response was lost and the SDK repeats it', async () => {
    const { store, lose, count } = await make({ maxAttempts: 3 });
    lose('PutItem');
    const first = await written(store, opening());
    expect(await store.read(first.id, soon())).toEqual(first);
    lose('PutItem');
    const second = await written(store, first, first);
    expect(await store.read(first.id, soon())).toEqual(second);
    expect(count('PutItem')).toBe(4);
    lose('DeleteItem');
    expect(await store.remove(second, soon())).toBe(true);
    await store.takeSlot('fb1', slot('first'), 9, soon());
    lose('UpdateItem');
    expect(await store.takeSlot('fb1', slot('a'), 2, soon())).toBe(true);
    lose('UpdateItem');
    expect(await store.moveSlot('fb1', 'a', slot('b'), 2, soon())).toBe(true);
    lose('UpdateItem');
    await store.freeSlot('fb1', slot('b'), soon());
    expect([...(await store.slots('fb1', soon())).keys()]).toEqual(['first']);
  });

  // While a stack is updated or rolled back, functions of version 0.1.0 write to the same table.
  const putOf0_1_0 = ({ dynamodb, table }: DynamoDbLedger, item: object, previous?: Record<string, unknown>) =>
    dynamodb.send(
      new PutItemCommand({
        TableName: table,
        Item: marshall(item),
        ...(previous && {
          ConditionExpression: 'attemptId = :attemptId AND version = :version',
          ExpressionAttributeValues: marshall({
            ':attemptId': previous['attemptId'],
            ':version': previous['version'],
          }),
        }),
      }),
    );

  it.each(WITHOUT_ATTEMPT)('stores %s so that version 0.1.0 can replace it', async (_what, item) => {
    const ledger = await make();
    const { store, scan } = ledger;
    const first = await written(store, item);
    const [row = {}] = await scan();
    expect(row['attemptId']).toEqual(expect.any(String));
    await putOf0_1_0(ledger, { ...row, version: 'theirs' }, row);
    expect(await store.write(item, first, soon())).toBeUndefined();
    expect(await store.read(item.id, soon())).toMatchObject({ ...item, version: 'theirs' });
  });

  it.each(WITHOUT_ATTEMPT)('replaces and removes %s of version 0.1.0, which has an attempt id', async (_what, item) => {
    const ledger = await make();
    const { store } = ledger;
    for (const id of [item.id, `${item.id}-2`]) {
      await putOf0_1_0(ledger, { ...item, id, attemptId: 'theirs', version: 'v1' });
    }
    const first = await store.read(item.id, soon());
    expect(first).toMatchObject({ ...item, version: 'v1' });
    await written(store, item, first);
    const second = { ...item, id: `${item.id}-2`, version: 'v1' };
    expect(await store.remove(second, soon())).toBe(true);
  });

  it('puts an item into the index of what is due only if it is due', async () => {
    const { store, scan } = await make();
    const item = await written(store, opening());
    expect(await scan()).toMatchObject([{ duePartition: 'due', array: 'fb1', owner: 'me' }]);
    const { dueAt: _dueAt, ...settled } = item;
    await written(store, settled, item);
    expect((await scan())[0]).not.toHaveProperty('duePartition');
  });

  it('spreads entries over the shards, lists all of them oldest first, and also lists those without shards', async () => {
    const { dynamodb, store, scan, table } = await make({ dueShards: 16 });
    const before = createLeaseStore(dynamodb, table, randomUUID, 1);
    const items = Array.from({ length: 200 }, (_, n) => ({
      ...ownerEnd,
      id: `owner#${n}`,
      ownerId: `${n}`,
      dueAt: 900 - n,
    }));
    for (const [n, item] of items.entries()) await written(n % 10 === 0 ? before : store, item);
    const rows = await scan();
    const sizes = [...Map.groupBy(rows, ({ duePartition }) => duePartition).values()].map(({ length }) => length);
    expect(sizes).toHaveLength(17);
    expect(Math.max(...sizes)).toBeLessThan(30);
    expect((await store.pending(soon())).map(({ dueAt }) => dueAt)).toEqual(items.map(({ dueAt }) => dueAt).reverse());
    expect(await before.pending(soon())).toEqual(await store.pending(soon()));
  });

  it('writes an entry to the same shard each time, and lists it once', async () => {
    const { store, scan } = await make({ dueShards: 16 });
    const partition = async () => (await scan()).map(({ duePartition }) => duePartition);
    const first = await written(store, opening());
    const [shard] = await partition();
    expect(shard).toMatch(/^due#\d+$/);
    await written(store, { ...first, dueAt: 5 }, first);
    expect(await partition()).toEqual([shard]);
    expect(await store.pending(soon())).toMatchObject([{ id: 'job', dueAt: 5 }]);
  });

  it('keeps the entry of slots in its partition until their next check, whatever the number of shards', async () => {
    const { dynamodb, store, scan, table } = await make({ dueShards: 16 });
    const before = createLeaseStore(dynamodb, table, randomUUID, 1);
    const partition = async () => (await scan()).map(({ duePartition }) => duePartition);
    await before.takeSlot('fb1', slot('a'), 3, soon());
    await store.takeSlot('fb1', slot('b'), 3, soon());
    expect(await partition()).toEqual(['due']);
    await store.lookAtSlots('fb1', 700, soon());
    expect(await partition()).toEqual([expect.stringMatching(/^due#\d+$/)]);
    await before.lookAtSlots('fb1', 700, soon());
    expect(await partition()).toEqual(['due']);
  });

  it('stores no attribute that is undefined', async () => {
    const { store, scan } = await make();
    await written(store, { ...opening(), owner: undefined } as unknown as Opening);
    await written(store, { ...tombstone, attemptId: undefined, target: undefined } as unknown as Closed);
    const [lease = {}, none = {}] = (await scan()).sort((a) => (a['id'] === 'lease#job' ? -1 : 1));
    for (const attribute of ['owner', 'formerOwner']) expect(lease).not.toHaveProperty(attribute);
    for (const attribute of ['owner', 'target', 'array']) expect(none).not.toHaveProperty(attribute);
    expect(none['attemptId']).toEqual(expect.any(String));
  });

  it('stores an open lease without its auth token in plaintext', async () => {
    const { store, scan } = await make();
    const first = await written(store, opening());
    const open = await written(store, record(first, { username: 'pureuser', sealed: '1.a.b.c' }), first);
    expect(await store.read(first.id, soon())).toEqual(open);
    expect(await scan()).toMatchObject([{ sealed: '1.a.b.c', target: { host: 'fb1.example.com' } }]);
  });
}
