/**
 * A model of DynamoDB's limits per partition. It records what one session writes and reads in the ledger, with the real store, and then
 * repeats that for many sessions, second by second, in virtual time.
 *
 * The model is stricter than DynamoDB: units that one second leaves unused cannot be used later, and no partition is ever split.
 */
import type {
  AttributeValue,
  DynamoDBClient,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { duePartitionOf } from '../../lib/aws/due-partitions.ts';
import { createLeaseStore } from '../../lib/aws/lease-store.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { openSession } from '../../lib/leases/open.ts';
import { LEASE_TABLE } from '../kit/lease-table.ts';
import { memoryFleet, portsOver } from '../kit/memory/fleet.ts';
import { direct } from '../kit/memory/hook.ts';
import { API_TOKEN } from '../kit/memory/world.ts';

/** What AWS documents for one partition of a table or an index. */
export const WRITE_UNITS = 1000;
export const READ_UNITS = 3000;

type Row = Readonly<Record<string, AttributeValue>>;
type Where = 'table' | 'due' | 'owner';
type Units = { readonly where: Where; readonly key: string; readonly kind: 'write' | 'read'; readonly units: number };
/** One call to DynamoDB. If one partition has no units left, DynamoDB rejects the whole call. */
type Call = { readonly phase: 'open' | 'close'; readonly units: readonly Units[] };

/** DynamoDB counts the bytes of names and values. For numbers and nested values, this is an upper limit. */
const bytesOf = (row: Row): number =>
  Object.entries(row).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.M !== undefined) return 3 + bytesOf(value.M) + Object.keys(value.M).length;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, one) => sum + valueBytes(one) + 1, 0);
  return value.N === undefined ? 1 : value.N.length;
}
const kilobytes = (bytes: number, unit = 1): number => Math.max(1, Math.ceil(bytes / (1024 * unit)));

/** A table that charges units for each call, in memory. It knows only the calls and expressions of the lease store. */
function chargingTable(charge: (units: Units[]) => void) {
  const rows = new Map<string, Row>();
  const indexes = LEASE_TABLE.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => ({
    where: IndexName,
    keys: KeySchema.map(({ AttributeName }) => AttributeName as string),
    projected: 'NonKeyAttributes' in Projection ? (Projection.NonKeyAttributes as readonly string[]) : [],
  }));

  /** An entry's attributes, or undefined if the row lacks one of the index's keys. */
  const entryOf = (row: Row | undefined, { keys, projected }: (typeof indexes)[number]): Row | undefined =>
    row === undefined || keys.some((key) => row[key] === undefined)
      ? undefined
      : Object.fromEntries(['id', ...keys, ...projected].flatMap((name) => (row[name] ? [[name, row[name]]] : [])));

  function replace(id: string, next: Row): void {
    const before = rows.get(id);
    const units: Units[] = [
      { where: 'table', key: id, kind: 'write', units: kilobytes(Math.max(bytesOf(next), bytesOf(before ?? {}))) },
    ];
    for (const index of indexes) {
      const [from, to] = [entryOf(before, index), entryOf(next, index)];
      if (JSON.stringify(from) === JSON.stringify(to)) continue;
      const keyOf = (entry: Row): string => index.keys.map((key) => JSON.stringify(entry[key])).join();
      const write = (entry: Row) =>
        units.push({
          ...{ where: index.where, kind: 'write', units: kilobytes(bytesOf(entry)) },
          key: String(entry[index.keys[0] as string]?.S),
        });
      // An entry whose key changes is deleted and written again.
      if (from && (!to || keyOf(from) !== keyOf(to))) write(from);
      if (to) write(to);
    }
    charge(units);
    rows.set(id, next);
  }

  function update(input: UpdateItemCommandInput): void {
    const id = String(input.Key?.['id']?.S);
    const row = rows.get(id);
    if (row === undefined) throw Object.assign(new Error(), { name: 'ConditionalCheckFailedException' });
    const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input;
    const next: Record<string, AttributeValue> = { ...row };
    const live: Record<string, AttributeValue> = { ...row['live']?.M };
    const [, sets = '', removes = ''] = /^(?:SET (.*?))?\s*(?:REMOVE (.*))?$/.exec(input.UpdateExpression ?? '') ?? [];
    for (const [, path = '', guard, value = ''] of sets.matchAll(/([\w.#]+) = (if_not_exists\(\w+, )?(:\w+)/g)) {
      const attribute = values[value] as AttributeValue;
      if (path.startsWith('live.')) live[String(names[path.slice('live.'.length)])] = attribute;
      else if (guard === undefined || next[path] === undefined) next[path] = attribute;
    }
    for (const path of removes.split(', ').filter(Boolean)) {
      if (path.startsWith('live.')) delete live[String(names[path.slice('live.'.length)])];
      else delete next[path];
    }
    replace(id, { ...next, live: { M: live } });
  }

  const send = async ({ constructor: { name }, input }: { constructor: { name: string }; input: unknown }) => {
    const { Item, Key } = input as PutItemCommandInput & UpdateItemCommandInput;
    if (name === 'PutItemCommand') replace(String(Item?.['id']?.S), Item as Row);
    else if (name === 'UpdateItemCommand') update(input as UpdateItemCommandInput);
    else if (name === 'GetItemCommand') {
      const id = String(Key?.['id']?.S);
      const found = rows.get(id);
      charge([{ where: 'table', key: id, kind: 'read', units: kilobytes(bytesOf(found ?? {}), 4) }]);
      return found ? { Item: found } : {};
    } else throw new Error(`the model does not know ${name}`);
    return {};
  };
  return { rows, client: { send } as unknown as DynamoDBClient };
}

/** What the recorded session was called. `recordSession` finds these names in the keys. */
const [ARRAY, LEASE] = ['array-1', 'nightly-backup-record'];

/** Opens and closes a session with the real store, on an array that has `live` other sessions. Returns the calls to DynamoDB. */
export async function recordSession({ shards, live, owner }: { shards: number; live: number; owner?: string }) {
  const calls: Call[] = [];
  let phase: Call['phase'] | undefined;
  const { client, rows } = chargingTable((units) => {
    if (phase) calls.push({ phase, units });
  });
  let ids = 0;
  const fleet = memoryFleet({ now: Date.now });
  fleet.add(ARRAY, API_TOKEN);
  const newId = (): string => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  const ports = {
    ...portsOver(fleet, direct, {
      limits: { sessionsPerArray: 500, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
      report: () => {},
      now: Date.now,
      random: () => 0.5,
      newId,
    }),
    store: createLeaseStore(client, 'leases', newId, shards),
  };
  const open = (leaseId: string) =>
    openSession(ports, { array: ARRAY, leaseId, leaseSeconds: 900, ...(owner && { owner }) }, Date.now() + 60_000);
  // One session more, so that the array's slots exist.
  for (let n = 0; n <= live; n++) await open(`nightly-backup-${String(n).padStart(6, '0')}`);
  await closeSession(ports, 'nightly-backup-000000', Date.now() + 60_000);
  phase = 'open';
  await open(LEASE);
  phase = 'close';
  await closeSession(ports, LEASE, Date.now() + 60_000);
  const slots = rows.get(`array#${ARRAY}`);
  return { calls, slotsPartition: slots?.['duePartition']?.S };
}

/** The recorded units of one kind, by where they are charged. The slots of the array are separate from the rest of the table. */
export function unitsOf(calls: readonly Call[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { where, key, kind, units } of calls.flatMap((call) => call.units)) {
    const what = `${kind} ${where === 'table' && key.startsWith('array#') ? 'slots' : where}`;
    sums[what] = (sums[what] ?? 0) + units;
  }
  return sums;
}

export type Load = {
  readonly sessionsPerSecond: number;
  readonly seconds: number;
  readonly arrays: number;
  readonly shards: number;
  /** How long each session lasts. */
  readonly sessionSeconds: number;
  /** Partitions of the table. Items are spread over them by a hash of their id. */
  readonly tablePartitions: number;
};

export type Outcome = {
  readonly sessions: number;
  /** Calls that DynamoDB rejected, by the partition that had no units left. */
  readonly throttled: ReadonlyMap<string, number>;
  /** The most write units that one partition got in one second. */
  readonly busiest: Readonly<Record<Where, number>>;
};

/** FNV-1a. Stands for the hash that DynamoDB spreads items with, which AWS does not document. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Repeats a recorded session with other ids at a constant rate. A rejected call is not repeated. */
export function simulate(calls: readonly Call[], load: Load): Outcome {
  const { sessionsPerSecond, seconds, arrays, shards, sessionSeconds, tablePartitions } = load;
  const throttled = new Map<string, number>();
  const busiest = { table: 0, due: 0, owner: 0 };
  const used = new Map<string, number>();
  const partitionOf = (where: Where, key: string): string => {
    if (where !== 'table') return `${where} ${key}`;
    return `table ${hashOf(key) % tablePartitions}`;
  };
  const recordedPartition = duePartitionOf(`lease#${LEASE}`, shards);

  function make(call: Call, session: number): void {
    const leaseId = `job-${session}`;
    const keys = new Map<string, string>();
    const renamed = (where: Where, key: string): string => {
      if (where !== 'due') return key.replace(LEASE, leaseId).replace(ARRAY, `array-${session % arrays}`);
      if (key !== recordedPartition) throw new Error(`an entry in the partition ${key}`);
      return duePartitionOf(`lease#${leaseId}`, shards);
    };
    const charges = call.units.map(({ where, key, kind, units }) => {
      const name = `${where} ${key}`;
      const partition = keys.get(name) ?? partitionOf(where, renamed(where, key));
      keys.set(name, partition);
      return { where, kind, units, partition: `${kind} ${partition}` };
    });
    const after = new Map<string, number>();
    for (const { partition, units } of charges)
      after.set(partition, (after.get(partition) ?? used.get(partition) ?? 0) + units);
    const full = charges.find(
      ({ partition, kind }) => (after.get(partition) ?? 0) > (kind === 'write' ? WRITE_UNITS : READ_UNITS),
    );
    if (full) return void throttled.set(full.partition, (throttled.get(full.partition) ?? 0) + 1);
    for (const [partition, units] of after) used.set(partition, units);
    for (const { where, kind, partition } of charges)
      if (kind === 'write') busiest[where] = Math.max(busiest[where], used.get(partition) ?? 0);
  }

  const opening = calls.filter(({ phase }) => phase === 'open');
  const closing = calls.filter(({ phase }) => phase === 'close');
  for (let second = 0; second < seconds; second++) {
    used.clear();
    for (let n = 0; n < sessionsPerSecond; n++) {
      const session = second * sessionsPerSecond + n;
      for (const call of opening) make(call, session);
      const closed = session - sessionSeconds * sessionsPerSecond;
      if (closed >= 0) for (const call of closing) make(call, closed);
    }
  }
  return { sessions: seconds * sessionsPerSecond, throttled, busiest };
}
