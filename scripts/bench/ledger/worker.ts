/** Started as a process: opens and sweeps, by the story or by hand. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { closeConnections } from '../../../lib/edges/flashblade/transport.ts';
import { leasesOf } from '../../../lib/edges/leases.ts';
import { sealOf } from '../../../lib/edges/seal.ts';
import { readConfig } from '../../../lib/ground/config.ts';
import { known } from '../../../lib/ground/errors.ts';
import type { Open } from '../../../lib/ground/lease-items.ts';
import { eachOf } from '../../../lib/ground/pool.ts';
import { type Edges, edgesOf } from '../../../lib/story/edges.ts';
import { openSession } from '../../../lib/story/open-session.ts';
import { type SweepResult, sweep } from '../../../lib/story/sweep.ts';
import { memoryKms } from '../../../test/story/memory-kms.ts';
import { memoryStore } from '../../../test/story/memory-store.ts';
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

let prepared: { place: LedgerPlace; edges: Edges; bare: Omit<Bare, 'table'> } | undefined;
let due: { edges: Edges; open: readonly Open[]; table: string } | undefined;

function here() {
  if (prepared === undefined) throw new Error('not prepared');
  return prepared;
}

function edgesOver({ table }: Ledger): Edges {
  const { edges, bare } = here();
  if (table === undefined) return { ...edges, leases: memoryStore(), seal: sealOf(memoryKms(), 'a key') };
  return { ...edges, leases: leasesOf(bare.dynamodb, table) };
}

/** The codes of those that failed. */
async function each<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<unknown>,
): Promise<string[]> {
  const failures: string[] = [];
  await eachOf(items, concurrency, async (item) => {
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
    prepared = { place, edges: { ...edgesOf(config, () => {}), seal: sealOf(bare.kms, keyArn) }, bare };
  },
  /** Gives each array its item in the ledger, as after its first lease. */
  meet: async ({ table, arrays }: { table: string; arrays: number }): Promise<void> => {
    const { leases } = edgesOver({ table });
    for (const { name } of arraysOf(here().place, arrays)) {
      const by = Date.now() + HOW_LONG_MS;
      const slot = { attemptId: 'first', leaseId: 'first', until: 0 };
      await leases.takeSlot(name, slot, 1, by);
      await leases.freeSlot(name, slot, by);
    }
  },
  open: async ({
    how,
    ...what
  }: Opening & { readonly how: How }): Promise<Used & { readonly failures: readonly string[] }> => {
    const arrays = arraysOf(here().place, what.arrays);
    const edges = edgesOver(what);
    const bare = { ...here().bare, table: what.table };
    let failures: string[] = [];
    const used = await using(async () => {
      failures = await each(numbers(what.count), what.concurrency, (nth) => {
        const [array, leaseId] = [inTurn(arrays, nth), `open-${nth}`];
        if (how === 'by hand') return openByHand(bare, array, leaseId);
        return openSession(edges, { array: array.name, leaseId, leaseSeconds: 900 }, Date.now() + HOW_LONG_MS);
      });
    });
    return { ...used, failures };
  },
  fill: async ({ arrays, count, ...ledger }: Ledger & { arrays: number; count: number }): Promise<void> => {
    const edges = edgesOver(ledger);
    due = {
      edges,
      open: await writeDueLeases(edges, arraysOf(here().place, arrays), count),
      table: ledger.table ?? '',
    };
    globalThis.gc?.();
  },
  /** What was filled last. `limitMs`: how much time the function has left. */
  sweep: async ({ limitMs = HOW_LONG_MS }: { limitMs?: number }): Promise<Used & { readonly result: SweepResult }> => {
    if (due === undefined) throw new Error('nothing is due');
    const { edges } = due;
    let result: SweepResult | undefined;
    const used = await using(async () => {
      result = await sweep(edges, Date.now() + limitMs);
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
