/** The ledger's store: one DynamoDB table, few operations, every write conditional on what it replaces. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { awsErrorName, callAws } from '../ground/aws.ts';
import { isFlashBladeError } from '../ground/errors.ts';
import type { Item } from '../ground/lease-states.ts';

const CHANGED = 'ConditionalCheckFailedException';

/** `by` is the end of the call (epoch, ms). Every operation throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export type LeaseStore = {
  /** A consistent read. */
  read(id: string, by: number): Promise<Item | undefined>;
  /** Writes `next` if the store still holds `previous` (undefined: nothing). False: it does not. */
  write(next: Item, previous: Item | undefined, by: number): Promise<boolean>;
  /** Removes `item` if the store still holds it. False: it does not. */
  remove(item: Item, by: number): Promise<boolean>;
  /** Takes one of an array's `limit` places for a lease; `until` (seconds) ends its opening. False: all are taken. Repeatable. */
  join(array: string, leaseId: string, place: { until: number; limit: number }, by: number): Promise<boolean>;
  /** Gives the place back. Repeatable. */
  leave(array: string, leaseId: string, by: number): Promise<void>;
};

export function leasesOf(client: DynamoDBClient, table: string): LeaseStore {
  async function read(id: string, by: number): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item: stored } = await callAws((options) => client.send(command, options), {
      what: 'read the lease table',
      by,
    });
    return stored ? withoutIndexes(unmarshall(stored)) : undefined;
  }

  async function write(next: Item, previous: Item | undefined, by: number): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: table,
      Item: marshall(withIndexes(next), { removeUndefinedValues: true }),
      ...unchanged(previous),
    });
    const about = { what: 'write to the lease table', by, passed: [CHANGED] };
    const written = await unlessChanged(callAws((options) => client.send(command, options), about));
    // A repetition by the SDK meets what its first try wrote: the version tells.
    return written || (await read(next.id, by))?.version === next.version;
  }

  async function remove(item: Item, by: number): Promise<boolean> {
    const command = new DeleteItemCommand({ TableName: table, Key: { id: { S: item.id } }, ...unchanged(item) });
    const about = { what: 'remove an item of the lease table', by, passed: [CHANGED] };
    const removed = await unlessChanged(callAws((options) => client.send(command, options), about));
    return removed || (await read(item.id, by)) === undefined;
  }

  async function join(
    array: string,
    leaseId: string,
    place: { until: number; limit: number },
    by: number,
  ): Promise<boolean> {
    const take = new UpdateItemCommand({
      ...placeOf(table, array, leaseId),
      UpdateExpression: 'SET live.#lease = :until',
      ConditionExpression: 'attribute_exists(live.#lease) OR size(live) < :limit',
      ExpressionAttributeValues: { ':until': { N: String(place.until) }, ':limit': { N: String(place.limit) } },
    });
    const about = { what: "take one of the array's places in the lease table", by, passed: [CHANGED] };
    const taken = () => unlessChanged(callAws((options) => client.send(take, options), about));
    if (await taken()) return true;
    // Full, or the array's first lease: the condition fails on an item that is not there, too.
    const begin = new PutItemCommand({
      TableName: table,
      Item: { id: { S: placesKey(array) }, live: { M: {} } },
      ConditionExpression: 'attribute_not_exists(id)',
    });
    await unlessChanged(callAws((options) => client.send(begin, options), about));
    return taken();
  }

  async function leave(array: string, leaseId: string, by: number): Promise<void> {
    const command = new UpdateItemCommand({
      ...placeOf(table, array, leaseId),
      UpdateExpression: 'REMOVE live.#lease',
      ConditionExpression: 'attribute_exists(live.#lease)',
    });
    const about = { what: "give back one of the array's places in the lease table", by, passed: [CHANGED] };
    await unlessChanged(callAws((options) => client.send(command, options), about));
  }

  return { read, write, remove, join, leave };
}

const placesKey = (array: string): string => `array#${array}`;

const placeOf = (table: string, array: string, leaseId: string) =>
  ({
    TableName: table,
    Key: { id: { S: placesKey(array) } },
    ExpressionAttributeNames: { '#lease': leaseId },
  }) satisfies UpdateItemCommandInput;

const unchanged = (previous: Item | undefined) =>
  previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(id)' }
    : {
        ConditionExpression: 'attemptId = :attemptId AND version = :version',
        ExpressionAttributeValues: { ':attemptId': { S: previous.attemptId }, ':version': { S: previous.version } },
      };

async function unlessChanged(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (!isFlashBladeError(error) && awsErrorName(error) === CHANGED) return false;
    throw error;
  }
}

// Attributes that only the table's indexes use. `due` is sparse: an item without dueAt is not in it.
const withIndexes = (item: Item): Record<string, unknown> => ({
  ...item,
  ...('target' in item && item.target ? { array: item.target.name } : {}),
  ...(item.dueAt === undefined ? {} : { duePartition: 'due' }),
});

function withoutIndexes({ array: _array, duePartition: _partition, ...item }: Record<string, unknown>): Item {
  return item as Item;
}
