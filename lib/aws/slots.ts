/** An array's slots: the bounded set of attempts that may have a session there. One item per array holds all of its slots. */
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { FlashBladeError } from '../core/errors.ts';
import type { LeaseStore, Slot, StoredSlot } from '../leases/ports.ts';
import { callAws, ifUnchanged } from './client.ts';

/** The only partition of the index `due`. */
export const DUE = 'due';
/** The name of every read in error messages. */
export const READ = 'read the lease table';
/** The prefix of the id of an array's item, before `#` and the array's name. */
export const SLOTS_KIND = 'array';

const TAKE = "take one of the array's slots in the lease table";
const FREE = "free one of the array's slots in the lease table";
const SCHEDULE = "schedule the next check of the array's slots in the lease table";

/** An earlier try of the same call took the slot. A slot that is kept for a SUSPECT does not count. */
const OWN = 'attribute_exists(live.#own) AND attribute_not_exists(live.#own.suspect)';

/** Version 0.1.0 took the slot, under the id of its lease. Slots of attempts have the attribute `leaseId`. */
const FORMER = 'attribute_exists(live.#instead) AND attribute_not_exists(live.#instead.leaseId)';

type Slots = Pick<LeaseStore, 'takeSlot' | 'moveSlot' | 'keepSlot' | 'freeSlot' | 'slots' | 'lookAtSlots'>;

export function createSlots(client: DynamoDBClient, table: string): Slots {
  const keyOf = (array: string) => ({ TableName: table, Key: { id: { S: `${SLOTS_KIND}#${array}` } } });

  const update = (what: string, by: number, input: UpdateItemCommandInput): Promise<boolean> =>
    ifUnchanged(what, by, (options) => client.send(new UpdateItemCommand(input), options));

  /** Writes a slot under its attempt's id if the condition holds. We make attempt ids, so no key is a name that a caller chose. */
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

  /** No condition holds for an item that is absent: an array's first attempt creates it. */
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
    const { Item: stored } = await callAws((options) => client.send(command, options), { what: READ, by });
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
      ExpressionAttributeValues: { ':at': { N: String(at) }, ':due': { S: DUE } },
    });
  };

  return { takeSlot, moveSlot, keepSlot, freeSlot, slots, lookAtSlots };
}
