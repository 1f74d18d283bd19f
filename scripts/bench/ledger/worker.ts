/** Started as a process: opens and sweeps, by the story or by hand. */

import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { createLeaseStore } from '../../../lib/aws/lease-store.ts';
import { createSeal } from '../../../lib/aws/seal.ts';
import { createPorts } from '../../../lib/compose.ts';
import { readConfig } from '../../../lib/core/config.ts';
import { known } from '../../../lib/core/errors.ts';
import { mapLimit } from '../../../lib/core/map-limit.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import type { Open, Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { type SweepResult, sweep } from '../../../lib/leases/sweep.ts';
import { memoryKms } from '../../../test/kit/memory/memory-kms.ts';
import { memoryStore } from '../../../test/kit/memory/memory-store.ts';
import { answer } from '../process.ts';
import { writeDueLeases } from './due.ts';
import { type Bare, closeByHand, openByHand, queryByHand } from './hand.ts';
import { PATIENT_CLIENT, PATIENT_CONFIG, waitLonger } from './patience.ts';
import { arraysOf, inTurn, type LedgerPlace, numbers } from './place.ts';
import { type Used, using } from './usage.ts';

/** Absent table: a ledger in memory. */
type Ledger = { readonly table?: string };
export type How = 'story' | 'by hand';
type Opening = {
  readonly table: string;
  readonly arrays: number;
  readonly count: number;
  readonly concurrency: number;
};

const HOW_LONG_MS = 600_000;

let prepared: { place: LedgerPlace; ports: Ports; bare: Omit<Bare, 'table'> } | undefined;
let due: { ports: Ports; open: readonly Stored<Open>[]; table: string } | undefined;

function here() {
  if (prepared === undefined) throw new Error('not prepared');
  return prepared;
}

function portsOver({ table }: Ledger): Ports {
  const { ports, bare } = here();
  if (table === undefined) return { ...ports, store: memoryStore(), seal: createSeal(memoryKms(), 'a key') };
  return { ...ports, store: createLeaseStore(bare.dynamodb, table, randomUUID) };
}

/** The codes of those that failed. */
async function each<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<unknown>,
): Promise<string[]> {
  const failures: string[] = [];
  await mapLimit(items, concurrency, async (item) => {
    try {
      await work(item);
    } catch (error) {
      failures.push(known(error).code);
    }
  });
  // As at the end of an invocation.
  closeConnections();
  return failures;
}

const handlers = {
  prepare: (place: LedgerPlace): void => {
    Object.assign(process.env, place.env);
    const { keyArn } = place;
    const config = readConfig({
      LEASE_TABLE: 'unused',
      LEASE_KEY: keyArn,
      SESSIONS_PER_ARRAY: '500',
      ...PATIENT_CONFIG,
    });
    const bare = { dynamodb: new DynamoDBClient(PATIENT_CLIENT), kms: new KMSClient(PATIENT_CLIENT), keyArn };
    prepared = { place, ports: { ...createPorts(config, () => {}), seal: createSeal(bare.kms, keyArn) }, bare };
  },
  /** Gives each array its item in the ledger, as after its first lease. */
  meet: async ({ table, arrays }: { table: string; arrays: number }): Promise<void> => {
    const { store } = portsOver({ table });
    for (const { name } of arraysOf(here().place, arrays)) {
      const by = Date.now() + HOW_LONG_MS;
      const slot = { attemptId: 'first', leaseId: 'first', until: 0 };
      await store.takeSlot(name, slot, 1, by);
      await store.freeSlot(name, slot, by);
    }
  },
  open: async ({
    how,
    ...what
  }: Opening & { readonly how: How }): Promise<Used & { readonly failures: readonly string[] }> => {
    const arrays = arraysOf(here().place, what.arrays);
    const ports = portsOver(what);
    const bare = { ...here().bare, table: what.table };
    let failures: string[] = [];
    const used = await using(async () => {
      failures = await each(numbers(what.count), what.concurrency, (nth) => {
        const [array, leaseId] = [inTurn(arrays, nth), `open-${nth}`];
        if (how === 'by hand') return openByHand(bare, array, leaseId);
        return openSession(ports, { array: array.name, leaseId, leaseSeconds: 900 }, Date.now() + HOW_LONG_MS);
      });
    });
    return { ...used, failures };
  },
  fill: async ({ arrays, count, ...ledger }: Ledger & { arrays: number; count: number }): Promise<void> => {
    const ports = portsOver(ledger);
    due = {
      ports,
      open: await writeDueLeases(ports, arraysOf(here().place, arrays), count),
      table: ledger.table ?? '',
    };
    globalThis.gc?.();
  },
  /** What was filled last. `limitMs`: how much time the function has left. */
  sweep: async ({ limitMs = HOW_LONG_MS }: { limitMs?: number }): Promise<Used & { readonly result: SweepResult }> => {
    if (due === undefined) throw new Error('nothing is due');
    const { ports } = due;
    let result: SweepResult | undefined;
    const used = await using(async () => {
      result = await sweep(ports, Date.now() + limitMs);
      closeConnections();
    });
    return { ...used, result: result as SweepResult };
  },
  /** The same by hand. */
  sweepByHand: async ({
    concurrency,
  }: {
    concurrency: number;
  }): Promise<Used & { readonly failures: readonly string[] }> => {
    const { open, table } = due ?? { open: [], table: '' };
    const bare = { ...here().bare, table };
    let failures: string[] = [];
    const used = await using(async () => {
      await queryByHand(bare);
      failures = await each(open, concurrency, (lease) => closeByHand(bare, lease));
    });
    return { ...used, failures };
  },
};
export type LedgerCalls = typeof handlers;

waitLonger();
answer(handlers);
