/** The cap: a bounded set of live leases per array, one item each. */
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { callAws } from '../../ground/aws.ts';
import { FlashBladeError } from '../../ground/errors.ts';
import { type LeaseStore, type Place, sharedBy } from './store.ts';
import { DUE, ifUnchanged, PLACES_PREFIX, READ } from './table.ts';

const TAKE = "take one of the array's places in the lease table";
const GIVE_BACK = "give back one of the array's places in the lease table";
const LOOK_AGAIN = "note in the lease table when to look at the array's places";

/** How often a call tries to take a place that others take and give back under its hands. */
const ROUNDS = 3;

type Places = Pick<LeaseStore, 'join' | 'leave' | 'places' | 'lookAtPlaces'>;

export function placesOf(client: DynamoDBClient, table: string): Places {
  const keyOf = (array: string) => ({ TableName: table, Key: { id: { S: PLACES_PREFIX + array } } });

  const update = (what: string, by: number, input: UpdateItemCommandInput): Promise<boolean> =>
    ifUnchanged(what, by, (options) => client.send(new UpdateItemCommand(input), options));

  async function join(
    array: string,
    name: string,
    place: Place & { readonly limit: number },
    by: number,
  ): Promise<boolean> {
    const { attemptId, until, limit } = place;
    const put = (owner: string, condition: string, values: UpdateItemCommandInput['ExpressionAttributeValues']) =>
      update(TAKE, by, {
        ...keyOf(array),
        UpdateExpression: 'SET live.#name = :place, duePartition = :due, dueAt = if_not_exists(dueAt, :until)',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: {
          ':place': { M: { attemptId: { S: owner }, until: { N: String(until) } } },
          ':until': { N: String(until) },
          ':due': { S: DUE },
          ...values,
        },
      });
    const take = () =>
      put(attemptId, 'live.#name.attemptId = :own OR (attribute_not_exists(live.#name) AND size(live) < :limit)', {
        ':own': { S: attemptId },
        ':limit': { N: String(limit) },
      });
    for (let round = 0; round < ROUNDS; round++) {
      if (await take()) return true;
      if (await put(sharedBy(attemptId), 'attribute_exists(live.#name)', {})) return true;
      // Full, or another call gave the place back in between, or it is the array's first lease: no condition holds for an
      // item that is not there.
      if (await begin(array, by)) continue;
      const live = await places(array, by);
      if (live.size >= limit && !live.has(name)) return false;
    }
    throw new FlashBladeError('LEASE_OPENING', `other calls are changing the places of array ${array}: try again`);
  }

  function begin(array: string, by: number): Promise<boolean> {
    const empty = new PutItemCommand({
      TableName: table,
      Item: { ...keyOf(array).Key, live: { M: {} } },
      ConditionExpression: 'attribute_not_exists(id)',
    });
    return ifUnchanged(TAKE, by, (options) => client.send(empty, options));
  }

  async function leave(array: string, name: string, by: number, attemptId?: string): Promise<void> {
    const taken = attemptId === undefined ? 'attribute_exists(live.#name)' : 'live.#name.attemptId = :attemptId';
    await update(GIVE_BACK, by, {
      ...keyOf(array),
      UpdateExpression: 'REMOVE live.#name',
      ConditionExpression: taken,
      ExpressionAttributeNames: { '#name': name },
      ...(attemptId === undefined ? {} : { ExpressionAttributeValues: { ':attemptId': { S: attemptId } } }),
    });
  }

  async function places(array: string, by: number): Promise<ReadonlyMap<string, Place>> {
    const command = new GetItemCommand({ ...keyOf(array), ConsistentRead: true });
    const { Item: stored } = await callAws((options) => client.send(command, options), { what: READ, by });
    return new Map(Object.entries((stored ? unmarshall(stored)['live'] : undefined) ?? {}));
  }

  async function lookAtPlaces(array: string, at: number, by: number): Promise<void> {
    const never = await update(LOOK_AGAIN, by, {
      ...keyOf(array),
      UpdateExpression: 'REMOVE dueAt, duePartition',
      ConditionExpression: 'size(live) = :none',
      ExpressionAttributeValues: { ':none': { N: '0' } },
    });
    if (never) return;
    await update(LOOK_AGAIN, by, {
      ...keyOf(array),
      UpdateExpression: 'SET dueAt = :at, duePartition = :due',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':at': { N: String(at) }, ':due': { S: DUE } },
    });
  }

  return { join, leave, places, lookAtPlaces };
}
