/**
 * Stores the lease ledger in one DynamoDB table. Each write succeeds only if the item's version has not changed since the item was read.
 * The exception is the item with an array's slots, which is updated in place.
 */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { FlashBladeError } from '../core/errors.ts';
import { type Item, isOfItsOwner, leaseKey, type Stored } from '../leases/items.ts';
import type { LeaseStore, Pending, Slot, StoredSlot } from '../leases/ports.ts';
import { callAws, ifUnchanged, TABLE_SETTING } from './client.ts';
import { DUE_PARTITIONS, duePartitionOf } from './due-partitions.ts';

/** How error messages describe a read. */
const READ = { what: 'read the lease table', setting: TABLE_SETTING };
/** The item with an array's slots has the id `array#` followed by the array name. */
const SLOTS_KIND = 'array';

/** Stops endless pagination. No partition of an index has this many pages. */
const MAX_PAGES = 1000;

const KINDS: Readonly<Record<string, Pending['kind']>> = {
  lease: 'lease',
  suspect: 'suspect',
  owner: 'owner',
  [SLOTS_KIND]: 'slots',
};

/**
 * Creates the ledger. `newId` generates the version for each write. `dueShards` is the number of partitions for new entries in the `due`
 * index.
 */
export function createLeaseStore(
  client: DynamoDBClient,
  table: string,
  newId: () => string,
  dueShards = 1,
): LeaseStore {
  const read: LeaseStore['read'] = async (id, by) => {
    const command = new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item: row } = await callAws((options) => client.send(command, options), { ...READ, by });
    return row && itemOf(unmarshall(row));
  };

  const write: LeaseStore['write'] = async (next, previous, by) => {
    const stored = { ...next, version: newId() };
    const row = marshall(rowOf(stored, dueShards), { removeUndefinedValues: true });
    const command = new PutItemCommand({ TableName: table, Item: row, ...unchanged(previous) });
    if (await ifUnchanged('write to the lease table', by, (options) => client.send(command, options))) return stored;
    // The condition also fails if the SDK's first try succeeded, its response was lost, and the SDK retried.
    return (await read(next.id, by))?.version === stored.version ? stored : undefined;
  };

  const remove: LeaseStore['remove'] = async (item, by) => {
    const command = new DeleteItemCommand({ TableName: table, Key: { id: { S: item.id } }, ...unchanged(item) });
    const removed = await ifUnchanged('remove from the lease table', by, (options) => client.send(command, options));
    return removed || (await read(item.id, by)) === undefined;
  };

  async function query(input: Omit<QueryCommandInput, 'TableName'>, by: number): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    let from: QueryCommandInput['ExclusiveStartKey'];
    for (let page = 0; page < MAX_PAGES; page++) {
      const command = new QueryCommand({ TableName: table, ...input, ExclusiveStartKey: from });
      const output = await callAws((options) => client.send(command, options), { ...READ, by });
      for (const row of output.Items ?? []) rows.push(unmarshall(row));
      from = output.LastEvaluatedKey;
      if (from === undefined) return rows;
    }
    throw new FlashBladeError(
      'AWS_UNAVAILABLE',
      `could not ${READ.what}: the query returned more than ${MAX_PAGES} pages`,
    );
  }

  const pending: LeaseStore['pending'] = async (by) => {
    const byDueAt = { IndexName: 'due', KeyConditionExpression: 'duePartition = :due' };
    const partitions = await Promise.all(
      DUE_PARTITIONS.map((due) => query({ ...byDueAt, ExpressionAttributeValues: { ':due': { S: due } } }, by)),
    );
    // An entry that moved to another partition in the meantime was read twice.
    const rows = new Map(partitions.flat().map((row) => [row['id'], row]));
    return [...rows.values()].map(pendingOf).sort((a, b) => a.dueAt - b.dueAt);
  };

  const ofOwner: LeaseStore['ofOwner'] = async (owner, by) => {
    const names = { ExpressionAttributeNames: { '#owner': 'owner' } };
    const byOwner = { IndexName: 'owner', KeyConditionExpression: '#owner = :owner', ...names };
    const rows = await query({ ...byOwner, ExpressionAttributeValues: { ':owner': { S: owner } } }, by);
    return rows.map((row) => String(row['id']).slice(leaseKey('').length));
  };

  return { read, write, remove, pending, ofOwner, ...createSlots(client, table, dueShards) };
}

const unchanged = (previous: Stored<Item> | undefined) =>
  previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(id)' }
    : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': { S: previous.version } } };

type Optional = { readonly owner?: string; readonly attemptId?: string };

/**
 * Converts an item to a table row, adding attributes that only the table uses. Both indexes are sparse. The `due` index omits items without
 * `dueAt`. The `owner` index omits closed leases, except those that closed because their owner ended, so an owner's past leases never crowd
 * out its live ones.
 */
function rowOf(item: Stored<Item>, dueShards: number): Record<string, unknown> {
  // During an update or rollback, functions from version 0.1.0 run alongside the current ones. The old functions replace an item only if
  // its version and its attemptId are both unchanged, so every item needs an attemptId.
  const { owner, attemptId = item.version, ...rest }: Stored<Item> & Optional = item;
  return {
    ...rest,
    attemptId,
    ...(isOfItsOwner(item) ? { owner } : { formerOwner: owner }),
    ...('target' in item && item.target ? { array: item.target.name } : {}),
    ...(item.dueAt === undefined ? {} : { duePartition: duePartitionOf(item.id, dueShards) }),
  };
}

function itemOf(row: Record<string, unknown>): Stored<Item> {
  const { array: _array, duePartition: _partition, formerOwner, attemptId, ...rest } = row;
  return {
    ...rest,
    // An attemptId equals the version only if `rowOf` added it.
    ...(attemptId === undefined || attemptId === rest['version'] ? {} : { attemptId }),
    ...(formerOwner === undefined ? {} : { owner: formerOwner }),
  } as Stored<Item>;
}

/** Parses a row from the `due` index. An item's id consists of its kind, `#` and its name, which may contain `#`. */
function pendingOf(row: Record<string, unknown>): Pending {
  const [prefix = '', ...rest] = String(row['id']).split('#');
  const { dueAt, state } = row as Pick<Pending, 'dueAt' | 'state'>;
  const kind = KINDS[prefix] ?? 'lease';
  const id = rest.join('#');
  const array = kind === 'slots' ? id : row['array'];
  return {
    ...{ kind, id, dueAt },
    ...(state === undefined ? {} : { state }),
    ...(array === undefined ? {} : { array: String(array) }),
  };
}

const TAKE = "take one of the array's slots in the lease table";
const FREE = "free one of the array's slots in the lease table";
const SCHEDULE = "schedule the next check of the array's slots in the lease table";

/** Matches if an earlier try of the same call took the slot, but not if the slot is kept for a SUSPECT. */
const OWN = 'attribute_exists(live.#own) AND attribute_not_exists(live.#own.suspect)';

/** Matches if version 0.1.0 took the slot under the lease's id. Newer slots have the attribute `leaseId`. */
const FORMER = 'attribute_exists(live.#instead) AND attribute_not_exists(live.#instead.leaseId)';

type Slots = Pick<LeaseStore, 'takeSlot' | 'moveSlot' | 'keepSlot' | 'freeSlot' | 'slots' | 'lookAtSlots'>;

/** Reads and writes an array's slots, which list the attempts that may have a session on the array. */
function createSlots(client: DynamoDBClient, table: string, dueShards: number): Slots {
  const idOf = (array: string): string => `${SLOTS_KIND}#${array}`;
  const keyOf = (array: string) => ({ TableName: table, Key: { id: { S: idOf(array) } } });
  const partitionOf = (array: string) => ({ S: duePartitionOf(idOf(array), dueShards) });

  const update = (what: string, by: number, input: UpdateItemCommandInput): Promise<boolean> =>
    ifUnchanged(what, by, (options) => client.send(new UpdateItemCommand(input), options));

  /** Writes a slot under its attempt id if the condition is met. Attempt ids are generated, so callers never choose a key. */
  function put(
    array: string,
    slot: Slot,
    { condition, instead }: { condition: string; instead?: string },
    by: number,
    values: UpdateItemCommandInput['ExpressionAttributeValues'] = {},
  ): Promise<boolean> {
    const { attemptId, leaseId, until, suspect } = slot;
    const marked = suspect ? { suspect: { BOOL: true } } : {};
    return update(TAKE, by, {
      ...keyOf(array),
      UpdateExpression: `SET live.#own = :slot, duePartition = if_not_exists(duePartition, :due), dueAt = if_not_exists(dueAt, :until)${instead === undefined ? '' : ' REMOVE live.#instead'}`,
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#own': attemptId, ...(instead === undefined ? {} : { '#instead': instead }) },
      ExpressionAttributeValues: {
        ':slot': { M: { leaseId: { S: leaseId }, until: { N: String(until) }, ...marked } },
        ':until': { N: String(until) },
        ':due': partitionOf(array),
        ...values,
      },
    });
  }

  /** Tries to write a slot. Every condition fails if the item does not exist, so the first attempt on an array creates the item. */
  async function putOrCreate(array: string, by: number, tryToPut: () => Promise<boolean>): Promise<boolean> {
    if (await tryToPut()) return true;
    const empty = new PutItemCommand({
      TableName: table,
      Item: { ...keyOf(array).Key, live: { M: {} } },
      ConditionExpression: 'attribute_not_exists(id)',
    });
    await ifUnchanged(TAKE, by, (options) => client.send(empty, options));
    return tryToPut();
  }

  const takeSlot: Slots['takeSlot'] = (array, slot, limit, by) => {
    const condition = `(${OWN}) OR (attribute_not_exists(live.#own) AND size(live) < :limit)`;
    return putOrCreate(array, by, () => put(array, slot, { condition }, by, { ':limit': { N: String(limit) } }));
  };

  const moveSlot: Slots['moveSlot'] = async (array, from, slot, limit, by) => {
    const condition = `attribute_exists(live.#instead) OR (${OWN})`;
    if (await put(array, slot, { condition, instead: from }, by)) return true;
    if (await put(array, slot, { condition: FORMER, instead: slot.leaseId }, by)) return true;
    return takeSlot(array, slot, limit, by);
  };

  const keepSlot: Slots['keepSlot'] = async (array, slot, by) => {
    const kept = await putOrCreate(array, by, () => put(array, slot, { condition: 'attribute_exists(live)' }, by));
    if (kept) return;
    throw new FlashBladeError('AWS_UNAVAILABLE', `could not ${TAKE}: the item was removed in the meantime. Try again`);
  };

  const freeSlot: Slots['freeSlot'] = async (array, { attemptId, closedLeaseId }, by) => {
    const remove = (name: string, condition: string): Promise<boolean> =>
      update(FREE, by, {
        ...keyOf(array),
        UpdateExpression: 'REMOVE live.#instead',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#instead': name },
      });
    if (await remove(attemptId, 'attribute_exists(live.#instead)')) return;
    if (closedLeaseId !== undefined) await remove(closedLeaseId, FORMER);
  };

  const slots: Slots['slots'] = async (array, by) => {
    const command = new GetItemCommand({ ...keyOf(array), ConsistentRead: true });
    const { Item: stored } = await callAws((options) => client.send(command, options), { ...READ, by });
    const live: Readonly<Record<string, Omit<StoredSlot, 'attemptId'>>> = (stored && unmarshall(stored)['live']) ?? {};
    return new Map(Object.entries(live).map(([attemptId, slot]) => [attemptId, { attemptId, ...slot }]));
  };

  const lookAtSlots: Slots['lookAtSlots'] = async (array, at, by) => {
    const never = await update(SCHEDULE, by, {
      ...keyOf(array),
      UpdateExpression: 'REMOVE dueAt, duePartition',
      ConditionExpression: 'size(live) = :none',
      ExpressionAttributeValues: { ':none': { N: '0' } },
    });
    if (never) return;
    await update(SCHEDULE, by, {
      ...keyOf(array),
      UpdateExpression: 'SET dueAt = :at, duePartition = :due',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':at': { N: String(at) }, ':due': partitionOf(array) },
    });
  };

  return { takeSlot, moveSlot, keepSlot, freeSlot, slots, lookAtSlots };
}
