/** What each function does with an altered lease, by the function's name. */

import { seconds } from '../../../lib/core/deadlines.ts';
import { known } from '../../../lib/core/errors.ts';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { allowedCalls, callArray } from '../../../lib/leases/call-array.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { dispatch } from '../../../lib/leases/dispatch.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { MAX_AGE_SECONDS, memoryOutbox } from '../../kit/memory/memory-outbox.ts';
import { released } from '../../kit/memory/messages.ts';
import { type Ledger, soon } from './arena.ts';

export type DeedName = keyof typeof DEEDS;
/** Alters the item of a lease. */
type Alter = (leaseId: string) => Promise<unknown>;
/** Returns or throws what the function would. */
type Deed = (ledger: Ledger, leaseId: string, alter: Alter) => Promise<unknown>;

const afterwards =
  (deed: (ports: Ports, leaseId: string, ledger: Ledger) => Promise<unknown>): Deed =>
  async (ledger, leaseId, alter) => {
    await alter(leaseId);
    return deed(ledger.ports, leaseId, ledger);
  };

export const DEEDS = {
  login: afterwards((ports, leaseId) => openSession(ports, { array: 'fb1', leaseId, leaseSeconds: 3600 }, soon(ports))),
  logout: afterwards((ports, leaseId) => closeSession(ports, leaseId, soon(ports))),
  'call-array': afterwards((ports, leaseId) => {
    const request = { leaseId, method: 'GET', path: '/api/2.26/arrays' } as const;
    return callArray(ports, allowedCalls('GET /api/**'), request, soon(ports));
  }),
  renew: afterwards((ports, leaseId) => {
    const expiresAt = seconds(ports.now()) + 7200;
    return renewLease(ports, { leaseId, expiresAt }, soon(ports));
  }),
  /** Sweeps after every lease has expired. */
  'sweep-sessions': afterwards((ports, _leaseId, { pass }) => {
    pass();
    return sweep(ports, soon(ports));
  }),
  /** Releases a lease. Returns the events and the dead letters. */
  'session-events': afterwards(async (ports, leaseId) => {
    const { outbox, published, letters } = memoryOutbox();
    await dispatch(ports, outbox, released({ leaseId }), MAX_AGE_SECONDS, soon(ports));
    return { published, letters };
  }),
  /** Alters the check's own lease as soon as it is open. */
  'check-fleet': (ledger, _leaseId, alter) => {
    const write: Ports['store']['write'] = async (next, previous, by) => {
      const written = await ledger.store.write(next, previous, by);
      if (next.kind === 'lease' && next.state === 'OPEN') await alter(next.leaseId);
      return written;
    };
    const ports = { ...ledger.ports, store: { ...ledger.store, write } };
    return checkFleet(ports, { arrays: ['fb1'] }, soon(ports));
  },
} as const satisfies Record<string, Deed>;

/** What a caller sees: the code of the error, if there is one, and all texts. */
export async function seen(deed: () => Promise<unknown>): Promise<{ readonly code?: string; readonly text: string }> {
  try {
    return { text: JSON.stringify(await deed()) };
  } catch (thrown) {
    const { code, message, stack, facts } = known(thrown);
    return { code, text: JSON.stringify({ message, stack, facts }) };
  }
}
