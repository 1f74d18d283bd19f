/** What the table's indexes know: all that is not settled, and the leases of an owner. Eventually consistent. */
import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { callAws } from '../../ground/aws.ts';
import { FlashBladeError } from '../../ground/errors.ts';
import { leaseKey } from '../../ground/lease-items.ts';
import type { LeaseStore, Pending } from './store.ts';
import { DUE, READ } from './table.ts';

/** More pages than any table of leases has: a query ends. */
const MAX_PAGES = 1000;

const KINDS: Readonly<Record<string, Pending['kind']>> = {
  lease: 'lease',
  suspect: 'suspect',
  owner: 'owner',
  array: 'slots',
};

export function indexesOf(client: DynamoDBClient, table: string): Pick<LeaseStore, 'pending' | 'ofOwner'> {
  async function query(input: Omit<QueryCommandInput, 'TableName'>, by: number): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    let from: QueryCommandInput['ExclusiveStartKey'];
    for (let page = 0; page < MAX_PAGES; page++) {
      const command = new QueryCommand({ TableName: table, ...input, ExclusiveStartKey: from });
      const answer = await callAws((options) => client.send(command, options), { what: READ, by });
      for (const row of answer.Items ?? []) rows.push(unmarshall(row));
      from = answer.LastEvaluatedKey;
      if (from === undefined) return rows;
    }
    throw new FlashBladeError('AWS_UNAVAILABLE', `could not ${READ}: it holds more than ${MAX_PAGES} pages`);
  }

  async function pending(by: number): Promise<Pending[]> {
    const soonestFirst = { IndexName: 'due', KeyConditionExpression: 'duePartition = :due' };
    const rows = await query({ ...soonestFirst, ExpressionAttributeValues: { ':due': { S: DUE } } }, by);
    return rows.map(pendingOf);
  }

  async function ofOwner(owner: string, by: number): Promise<string[]> {
    const theirs = { IndexName: 'owner', KeyConditionExpression: '#owner = :owner' };
    const rows = await query(
      {
        ...theirs,
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': { S: owner } },
      },
      by,
    );
    return rows.map((row) => String(row['id']).slice(leaseKey('').length));
  }

  return { pending, ofOwner };
}

/** Out of a row of the index. What comes behind the kind in an item's id is its name. */
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
