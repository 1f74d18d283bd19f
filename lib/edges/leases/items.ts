/** Items of the ledger: read, written or removed if they are what they were. */
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { callAws } from '../../ground/aws.ts';
import { type Item, isOfItsOwner } from '../../ground/lease-items.ts';
import type { LeaseStore } from './store.ts';
import { DUE, ifUnchanged, READ } from './table.ts';

export function itemsOf(client: DynamoDBClient, table: string): Pick<LeaseStore, 'read' | 'write' | 'remove'> {
  async function read(id: string, by: number): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item: stored } = await callAws((options) => client.send(command, options), { what: READ, by });
    return stored ? withoutIndexes(unmarshall(stored)) : undefined;
  }

  async function write(next: Item, previous: Item | undefined, by: number): Promise<boolean> {
    const stored = marshall(withIndexes(next), { removeUndefinedValues: true });
    const command = new PutItemCommand({ TableName: table, Item: stored, ...unchanged(previous) });
    const written = await ifUnchanged('write to the lease table', by, (options) => client.send(command, options));
    // A repetition by the SDK meets what its first try wrote: the version tells.
    return written || (await read(next.id, by))?.version === next.version;
  }

  async function remove(item: Item, by: number): Promise<boolean> {
    const command = new DeleteItemCommand({ TableName: table, Key: { id: { S: item.id } }, ...unchanged(item) });
    const removed = await ifUnchanged('remove from the lease table', by, (options) => client.send(command, options));
    return removed || (await read(item.id, by)) === undefined;
  }

  return { read, write, remove };
}

const unchanged = (previous: Item | undefined) =>
  previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(id)' }
    : {
        ConditionExpression: 'attemptId = :attemptId AND version = :version',
        ExpressionAttributeValues: { ':attemptId': { S: previous.attemptId }, ':version': { S: previous.version } },
      };

// Attributes that only the table's indexes use. Both are sparse: an item without dueAt is not in `due`, one that its owner's end
// has no use for is not in `owner`, or an owner's history would hide its live leases.
function withIndexes(item: Item): Record<string, unknown> {
  const { owner, ...rest }: Item & { readonly owner?: string } = item;
  return {
    ...rest,
    ...(isOfItsOwner(item) ? { owner } : { formerOwner: owner }),
    ...('target' in item && item.target ? { array: item.target.name } : {}),
    ...(item.dueAt === undefined ? {} : { duePartition: DUE }),
  };
}

function withoutIndexes(stored: Record<string, unknown>): Item {
  const { array: _array, duePartition: _partition, formerOwner, ...item } = stored;
  return (formerOwner === undefined ? item : { ...item, owner: formerOwner }) as Item;
}
