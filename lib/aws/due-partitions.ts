/**
 * The partitions of the `due` index. DynamoDB writes at most 1,000 units per second to one partition key, and a session needs six units, so
 * a single partition key supports at most 166 sessions per second. Beyond that, DynamoDB also throttles writes to the table.
 */
import { createHash } from 'node:crypto';

/** The only partition that version 0.1.0 reads and writes. */
export const WITHOUT_SHARDS = 'due';
/** At 1,000 sessions per second, each shard gets 375 units per second, which leaves room for bursts and renewals. */
export const MAX_DUE_SHARDS = 16;

/** Every partition that may have entries, regardless of the current number of shards. A sweep reads all of them. */
export const DUE_PARTITIONS: readonly string[] = [
  WITHOUT_SHARDS,
  ...Array.from({ length: MAX_DUE_SHARDS }, (_, n) => `${WITHOUT_SHARDS}#${n}`),
];

/** Returns the partition for an item's entry. An item stays in its partition while `shards` stays the same. */
export function duePartitionOf(id: string, shards: number): string {
  if (shards === 1) return WITHOUT_SHARDS;
  return `${WITHOUT_SHARDS}#${createHash('sha256').update(id).digest().readUInt32BE() % shards}`;
}
