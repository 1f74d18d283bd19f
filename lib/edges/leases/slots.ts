/** The slots of an array: a bounded set of attempts that may have a session there, one item per array. */
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
import type { LeaseStore, Slot, StoredSlot } from './store.ts';
import { DUE, ifUnchanged, READ, SLOTS_PREFIX } from './table.ts';

const TAKE = "take one of the array's slots in the lease table";
const GIVE_BACK = "give back one of the array's slots in the lease table";
const LOOK_AGAIN = "note in the lease table when to look at the array's slots";

/** An earlier try of the same call took it. A slot that is kept for a SUSPECT does not count. */
const OWN = 'attribute_exists(live.#own) AND attribute_not_exists(live.#own.suspect)';

/** Version 0.1.0 took it, under the id of its lease: an attempt's has a lease id inside. */
const FORMER = 'attribute_exists(live.#instead) AND attribute_not_exists(live.#instead.leaseId)';

type Slots = Pick<LeaseStore, 'takeSlot' | 'moveSlot' | 'keepSlot' | 'freeSlot' | 'slots' | 'lookAtSlots'>;

export function slotsOf(client: DynamoDBClient, table: string): Slots {
  const keyOf = (array: string) => ({ TableName: table, Key: { id: { S: SLOTS_PREFIX + array } } });

  const update = (what: string, by: number, input: UpdateItemCommandInput): Promise<boolean> =>
    ifUnchanged(what, by, (options) => client.send(new UpdateItemCommand(input), options));

  /** Puts a slot under its attempt if the condition holds. Attempt ids are ours: no name that a caller chose is a key here. */
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
      UpdateExpression: `SET live.#own = :slot, duePartition = :due, dueAt = if_not_exists(dueAt, :until)${instead === undefined ? '' : ' REMOVE live.#instead'}`,
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#own': attemptId, ...(instead === undefined ? {} : { '#instead': instead }) },
      ExpressionAttributeValues: {
        ':slot': { M: { leaseId: { S: leaseId }, until: { N: String(until) }, ...marked } },
        ':until': { N: String(until) },
        ':due': { S: DUE },
        ...values,
      },
    });
  }

  /** No condition holds for an item that is not there: an array's first lease makes it. */
  async function putOrBegin(array: string, by: number, tryToPut: () => Promise<boolean>): Promise<boolean> {
    if (await tryToPut()) return true;
    const empty = new PutItemCommand({
      TableName: table,
      Item: { ...keyOf(array).Key, live: { M: {} } },
      ConditionExpression: 'attribute_not_exists(id)',
    });
    await ifUnchanged(TAKE, by, (options) => client.send(empty, options));
    return tryToPut();
  }

  const takeSlot = (array: string, slot: Slot, limit: number, by: number): Promise<boolean> => {
    const condition = `(${OWN}) OR (attribute_not_exists(live.#own) AND size(live) < :limit)`;
    return putOrBegin(array, by, () => put(array, slot, { condition }, by, { ':limit': { N: String(limit) } }));
  };

  async function moveSlot(array: string, from: string, slot: Slot, limit: number, by: number): Promise<boolean> {
    const condition = `attribute_exists(live.#instead) OR (${OWN})`;
    if (await put(array, slot, { condition, instead: from }, by)) return true;
    if (await put(array, slot, { condition: FORMER, instead: slot.leaseId }, by)) return true;
    return takeSlot(array, slot, limit, by);
  }

  async function keepSlot(array: string, slot: Slot, by: number): Promise<void> {
    const kept = await putOrBegin(array, by, () => put(array, slot, { condition: 'attribute_exists(live)' }, by));
    if (!kept) throw new FlashBladeError('AWS_UNAVAILABLE', `could not ${TAKE}: its item was removed meanwhile`);
  }

  async function freeSlot(
    array: string,
    { attemptId, leaseId }: Pick<StoredSlot, 'attemptId' | 'leaseId'>,
    by: number,
  ): Promise<void> {
    const remove = (name: string, condition: string): Promise<boolean> =>
      update(GIVE_BACK, by, {
        ...keyOf(array),
        UpdateExpression: 'REMOVE live.#instead',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#instead': name },
      });
    if (await remove(attemptId, 'attribute_exists(live.#instead)')) return;
    if (leaseId !== undefined) await remove(leaseId, FORMER);
  }

  async function slots(array: string, by: number): Promise<ReadonlyMap<string, StoredSlot>> {
    const command = new GetItemCommand({ ...keyOf(array), ConsistentRead: true });
    const { Item: stored } = await callAws((options) => client.send(command, options), { what: READ, by });
    const live: Readonly<Record<string, Omit<StoredSlot, 'attemptId'>>> = (stored && unmarshall(stored)['live']) ?? {};
    return new Map(Object.entries(live).map(([attemptId, slot]) => [attemptId, { attemptId, ...slot }]));
  }

  async function lookAtSlots(array: string, at: number, by: number): Promise<void> {
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

  return { takeSlot, moveSlot, keepSlot, freeSlot, slots, lookAtSlots };
}
