/**
 * Two arrays, a trap with a certificate from the same authority, and a ledger that a test may write to. Real connections and seals, no
 * AWS.
 */

import type { FlashBlade } from '../../../lib/core/model.ts';
import type { Report } from '../../../lib/core/reports.ts';
import * as client from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { type Item, type LeaseItem, leaseKey, type Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { tokensOf } from '../../kit/leaks.ts';
import { memoryFleet, portsOver } from '../../kit/memory/fleet.ts';
import { direct } from '../../kit/memory/hook.ts';
import { startListener } from '../../proofs/hostile/listeners.ts';

export type ArrayName = 'fb1' | 'fb2';
export type Arena = Awaited<ReturnType<typeof startArena>>;

/** The trap responds like an array, so that it also receives what a client sends after the first request. */
const BODY = '{"versions":["2.26"]}';
const VERSIONS = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const LEASE_SECONDS = 3600;

/** Arrays and trap run until `stop`. Each `ledger` is a new one, and starts with no sessions on the arrays. */
export async function startArena() {
  const authority = await createAuthority();
  const ca = authority.certificate;
  const certificate = { ...(await authority.issue()), ca };
  let arrayShiftMs = 0;
  const options = { certificate, now: () => Date.now() + arrayShiftMs };
  const [fb1, fb2, trap] = await Promise.all([
    startSimulator({ name: 'fb1', ...options }),
    startSimulator({ name: 'fb2', ...options }),
    startListener({ address: '127.0.0.1' }, certificate, () => VERSIONS),
  ]);
  const arrays = { fb1, fb2 };
  // The same key for all ledgers: a seal that is copied between them must not fail for want of its key.
  const { seal } = memoryFleet({ now: Date.now });
  const targetOf = (name: ArrayName): FlashBlade => {
    const { host, port } = arrays[name];
    return { name, host, port, trust: { kind: 'ca', ca } };
  };
  /** The target of a forged lease: the trap, with a trust that accepts its certificate. */
  const forged: FlashBlade = { ...targetOf('fb1'), port: trap.port };

  function ledger({ sessionsPerArray = 50 } = {}) {
    for (const { sessions, endSession, requests } of Object.values(arrays)) {
      for (const { authToken } of sessions()) endSession(authToken);
      requests.length = 0;
    }
    arrayShiftMs = 0;
    let shiftMs = 0;
    const reports: Report[] = [];
    const now = (): number => Date.now() + shiftMs;
    const fleet = { ...memoryFleet({ now }), seal };
    for (const name of ['fb1', 'fb2'] as const) {
      fleet.secrets.change(name, { ...targetOf(name), token: arrays[name].apiToken });
    }
    const { store } = fleet;
    const ports: Ports = {
      ...portsOver(fleet, direct, {
        limits: { sessionsPerArray, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
        report: (report) => reports.push(report),
        now,
        random: () => 0.5,
        newId: () => crypto.randomUUID(),
      }),
      flashblade: {
        ...{ login: client.loginWithHttpInfo, logout: client.logoutWithHttpInfo, request: client.request },
        apiVersions: client.apiVersionsWithHttpInfo,
      },
    };
    const lease = (leaseId: string): LeaseItem => {
      const item = store.items.get(leaseKey(leaseId));
      if (item?.kind !== 'lease') throw new Error(`there is no lease ${leaseId}`);
      return structuredClone(item);
    };
    const put = (item: object & { readonly id: string }) => store.write(item as Item, store.items.get(item.id), 0);
    return {
      ports,
      store,
      lease,
      /** Writes an item, even over an existing one. */
      put,
      remove: (id: string) => store.remove(store.items.get(id) as Stored<Item>, 0),
      /** Replaces fields of a lease's item. Fields that are `undefined` are removed. */
      change: (leaseId: string, fields: object) => {
        const changed = Object.entries({ ...lease(leaseId), ...fields }).filter(([, value]) => value !== undefined);
        return put({ ...Object.fromEntries(changed), id: leaseKey(leaseId) });
      },
      open: (array: ArrayName, leaseId: string, fields: { owner?: string } = {}) =>
        openSession(ports, { array, leaseId, leaseSeconds: LEASE_SECONDS, ...fields }, soon(ports)),
      /** Moves the functions' clock forward. Default: longer than any lease here lasts. */
      pass: (seconds = 2 * LEASE_SECONDS): void => {
        shiftMs += seconds * 1000;
      },
      reports,
      /** The names of all reported events, each once. */
      reported: (): string[] => [...new Set(reports.map(({ event }) => event))],
    };
  }

  return {
    arrays,
    forged,
    targetOf,
    ledger,
    /** Moves the arrays' clocks forward, so that their sessions are that much older. */
    passOnArrays: (seconds: number): void => {
      arrayShiftMs += seconds * 1000;
    },
    /** All current and former API tokens and auth tokens. */
    tokens: (): string[] => [fb1, fb2].flatMap(tokensOf),
    /** How many requests with a token of any kind an array has received. */
    tokenRequests: (name: ArrayName): number =>
      arrays[name].requests.filter(({ hasApiToken, hasAuthToken }) => hasApiToken || hasAuthToken).length,
    /** Everything that has reached the trap since the previous call. */
    trapped: async () => {
      closeConnections();
      await trap.settled();
      return trap.drain();
    },
    stop: async (): Promise<void> => {
      closeConnections();
      await Promise.all([fb1.stop(), fb2.stop(), trap.stop()]);
    },
  };
}

export type Ledger = ReturnType<Arena['ledger']>;

/** A deadline that is long enough on any machine. */
export const soon = ({ now }: Pick<Ports, 'now'>): number => now() + 60_000;
