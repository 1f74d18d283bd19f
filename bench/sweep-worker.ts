/** Opens sessions and sweeps their expired leases, in its own process. Uses real TLS, but keeps the ledger and KMS in memory. */
import { createSeal } from '../lib/aws/seal.ts';
import { createClosingPorts } from '../lib/compose.ts';
import { readConfig } from '../lib/core/config.ts';
import { mapLimit } from '../lib/core/map-limit.ts';
import { apiToken, type FlashBlade } from '../lib/core/model.ts';
import { closeConnections } from '../lib/flashblade/pool.ts';
import { openSession } from '../lib/leases/open.ts';
import type { Ports } from '../lib/leases/ports.ts';
import { sweep } from '../lib/leases/sweep.ts';
import { memoryStore } from '../lib/testing/store.ts';
import { memoryKms } from '../test/kit/memory/memory-kms.ts';
import { API_TOKEN } from './clients.ts';
import type { Usage } from './compare.ts';
import { expose, using } from './process.ts';

const AT_A_TIME = 64;
const PLENTY_MS = 600_000;
const HOUR_MS = 3_600_000;

type Job = { readonly ports: readonly number[]; readonly ca: string; readonly count: number };

function portsOver({ ports: tcpPorts, ca }: Job): Ports {
  const config = readConfig({ LEASE_TABLE: 'unused', LEASE_KEY: 'unused', SESSIONS_PER_ARRAY: '500' });
  const arrays = new Map(
    tcpPorts.map((port, nth): [string, FlashBlade] => [
      `fb${nth}`,
      { name: `fb${nth}`, host: '127.0.0.1', port, trust: { kind: 'ca', ca } },
    ]),
  );
  const read = async (name: string) => ({
    array: arrays.get(name) as FlashBlade,
    apiToken: apiToken(API_TOKEN),
    versionId: 'version',
  });
  return {
    ...createClosingPorts(config, () => {}),
    secrets: { read, list: async () => [...arrays.keys()] },
    store: memoryStore(),
    seal: createSeal(memoryKms(), 'key'),
  };
}

const handlers = {
  /** Returns the sweep's elapsed time and CPU time. Throws unless the sweep closes every session. */
  sweep: async (job: Job): Promise<Usage> => {
    const ports = portsOver(job);
    const leases = Array.from({ length: job.count }, (_, nth) => ({
      array: `fb${nth % job.ports.length}`,
      leaseId: `due-${nth}`,
      leaseSeconds: 60,
    }));
    await mapLimit(leases, AT_A_TIME, async (request) => {
      await openSession(ports, request, Date.now() + PLENTY_MS);
    });
    closeConnections();
    globalThis.gc?.();
    const later = { ...ports, now: () => Date.now() + HOUR_MS };
    let closed = 0;
    const used = await using(async () => {
      closed = (await sweep(later, later.now() + PLENTY_MS)).closed;
      closeConnections();
    });
    if (closed !== job.count) throw new Error(`the sweep closed ${closed} of ${job.count} sessions`);
    return used;
  },
};
export type SweepCalls = typeof handlers;

expose(handlers);
