/** What functions do with a lease that somebody has altered, each under its function's name. */
import { allowedCalls } from '../../lib/ground/allowed-calls.ts';
import { known } from '../../lib/ground/errors.ts';
import type { Item } from '../../lib/ground/lease-items.ts';
import { seconds } from '../../lib/ground/time.ts';
import { callArray } from '../../lib/story/call-array.ts';
import { checkFleet } from '../../lib/story/check-fleet.ts';
import { closeSession } from '../../lib/story/close-session.ts';
import type { Edges } from '../../lib/story/edges.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { renewLease } from '../../lib/story/renew-lease.ts';
import { handleMessage } from '../../lib/story/session-events.ts';
import { sweep } from '../../lib/story/sweep.ts';
import { memoryOutbox } from '../story/memory-outbox.ts';
import { released } from '../story/messages.ts';
import { type Ledger, soon } from './arena.ts';

export type DeedName = keyof typeof DEEDS;
/** Alters the item of a lease. */
type Alter = (leaseId: string) => Promise<void>;
/** Answers what the function would; throws what it would. */
type Deed = (ledger: Ledger, leaseId: string, alter: Alter) => Promise<unknown>;

const afterwards =
  (deed: (edges: Edges, leaseId: string, ledger: Ledger) => Promise<unknown>): Deed =>
  async (ledger, leaseId, alter) => {
    await alter(leaseId);
    return deed(ledger.edges, leaseId, ledger);
  };

export const DEEDS = {
  login: afterwards((edges, leaseId) => openSession(edges, { array: 'fb1', leaseId, leaseSeconds: 3600 }, soon(edges))),
  logout: afterwards((edges, leaseId) => closeSession(edges, leaseId, soon(edges))),
  'call-array': afterwards((edges, leaseId) => {
    const request = { leaseId, method: 'GET', path: '/api/2.26/arrays' } as const;
    return callArray(edges, allowedCalls('GET /api/**'), request, soon(edges));
  }),
  renew: afterwards((edges, leaseId) => {
    const expiresAt = seconds(edges.now()) + 7200;
    return renewLease(edges, { leaseId, expiresAt }, soon(edges));
  }),
  /** When every lease has expired. */
  'sweep-sessions': afterwards((edges, _leaseId, { pass }) => {
    pass();
    return sweep(edges, soon(edges));
  }),
  /** A release; answers what was told and laid aside. */
  'session-events': afterwards(async (edges, leaseId) => {
    const { outbox, told, letters } = memoryOutbox();
    await handleMessage(edges, outbox, released({ leaseId }), soon(edges));
    return { told, letters };
  }),
  /** It is the check's own lease that is altered, as soon as it is open. */
  'check-fleet': (ledger, _leaseId, alter) => {
    const write: Edges['leases']['write'] = async (next, previous, by) => {
      const written = await ledger.store.write(next, previous, by);
      if (isOpen(next)) await alter(next.leaseId);
      return written;
    };
    const edges = { ...ledger.edges, leases: { ...ledger.store, write } };
    return checkFleet(edges, { arrays: ['fb1'] }, soon(edges));
  },
} as const satisfies Record<string, Deed>;

const isOpen = (item: Item) => item.kind === 'lease' && item.state === 'OPEN';

/** What a caller sees: the code of what was thrown, if it was, and every text. */
export async function seen(deed: () => Promise<unknown>): Promise<{ readonly code?: string; readonly text: string }> {
  try {
    return { text: JSON.stringify(await deed()) };
  } catch (thrown) {
    const { code, message, stack, facts } = known(thrown);
    return { code, text: JSON.stringify({ message, stack, facts }) };
  }
}
