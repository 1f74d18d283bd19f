/** The ledger's store: one DynamoDB table, few operations, every write of an item conditional on what it replaces. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { indexesOf } from './leases/indexes.ts';
import { itemsOf } from './leases/items.ts';
import { slotsOf } from './leases/slots.ts';
import type { LeaseStore } from './leases/store.ts';

export type { LeaseStore, Pending, Slot, StoredSlot } from './leases/store.ts';

export const leasesOf = (client: DynamoDBClient, table: string): LeaseStore => ({
  ...itemsOf(client, table),
  ...slotsOf(client, table),
  ...indexesOf(client, table),
});
