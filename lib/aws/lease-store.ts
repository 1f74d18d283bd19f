/** The lease ledger in one DynamoDB table. Every write of an item is conditional on the version that it replaces. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { FlashBladeError } from '../core/errors.ts';
import { type Item, isOfItsOwner, leaseKey, type Stored } from '../leases/items.ts';
import type { LeaseStore, Pending } from '../leases/ports.ts';
import { callAws, ifUnchanged } from './client.ts';
import { createSlots, DUE, READ, SLOTS_KIND } from './slots.ts';

/** More pages than the index of any lease table has. */
const MAX_PAGES = 1000;

const KINDS: Readonly<Record<string, Pending['kind']>> = {
  lease: 'lease',
  suspect: 'suspect',
  owner: 'owner',
  [SLOTS_KIND]: 'slots',
};

/** `newId` gives every write its version. */
export function createLeaseStore(client: DynamoDBClient, table: string, newId: () => string): LeaseStore {
  const read: LeaseStore['read'] = async (id, by) => {
    const command = new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item: row } = await callAws((options) => client.send(command, options), { what: READ, by });
    return row && itemOf(unmarshall(row));
  };

  const write: LeaseStore['write'] = async (next, previous, by) => {
    const stored = { ...next, version: newId() };
    const row = marshall(rowOf(stored), { removeUndefinedValues: true });
    const command = new PutItemCommand({ TableName: table, Item: row, ...unchanged(previous) });
    if (await ifUnchanged('write to the lease table', by, (options) => client.send(command, options))) return stored;
    // A retry by the SDK finds what its first try wrote, if only the response was lost.
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
      const output = await callAws((options) => client.send(command, options), { what: READ, by });
      for (const row of output.Items ?? []) rows.push(unmarshall(row));
      from = output.LastEvaluatedKey;
      if (from === undefined) return rows;
    }
    throw new FlashBladeError('AWS_UNAVAILABLE', `could not ${READ}: the query has more than ${MAX_PAGES} pages`);
  }

  const pending: LeaseStore['pending'] = async (by) => {
    const byDueAt = { IndexName: 'due', KeyConditionExpression: 'duePartition = :due' };
    const rows = await query({ ...byDueAt, ExpressionAttributeValues: { ':due': { S: DUE } } }, by);
    return rows.map(pendingOf);
  };

  const ofOwner: LeaseStore['ofOwner'] = async (owner, by) => {
    const names = { ExpressionAttributeNames: { '#owner': 'owner' } };
    const byOwner = { IndexName: 'owner', KeyConditionExpression: '#owner = :owner', ...names };
    const rows = await query({ ...byOwner, ExpressionAttributeValues: { ':owner': { S: owner } } }, by);
    return rows.map((row) => String(row['id']).slice(leaseKey('').length));
  };

  return { read, write, remove, pending, ofOwner, ...createSlots(client, table) };
}

const unchanged = (previous: Stored<Item> | undefined) =>
  previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(id)' }
    : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': { S: previous.version } } };

type Optional = { readonly owner?: string; readonly attemptId?: string };

/**
 * An item as the table stores it, with attributes that only the table uses. Both indexes are sparse: an item without `dueAt` is not in
 * `due`; an item that does not concern the end of its owner is not in `owner`, so that an owner's history never hides its live leases.
 */
function rowOf(item: Stored<Item>): Record<string, unknown> {
  // Functions of version 0.1.0, which run beside these while a stack is updated or rolled back, replace an item only if both its
  // version and its attemptId are unchanged. So every item needs an attemptId.
  const { owner, attemptId = item.version, ...rest }: Stored<Item> & Optional = item;
  return {
    ...rest,
    attemptId,
    ...(isOfItsOwner(item) ? { owner } : { formerOwner: owner }),
    ...('target' in item && item.target ? { array: item.target.name } : {}),
    ...(item.dueAt === undefined ? {} : { duePartition: DUE }),
  };
}

function itemOf(row: Record<string, unknown>): Stored<Item> {
  const { array: _array, duePartition: _partition, formerOwner, attemptId, ...rest } = row;
  return {
    ...rest,
    // An attempt's id never equals a version, unless `rowOf` added it.
    ...(attemptId === undefined || attemptId === rest['version'] ? {} : { attemptId }),
    ...(formerOwner === undefined ? {} : { owner: formerOwner }),
  } as Stored<Item>;
}

/** Reads a row of the index `due`. An item's id is its kind, `#` and its name, which may contain `#`. */
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
