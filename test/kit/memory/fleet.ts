/**
 * An in-memory fleet: arrays, their secrets, the ledger, and a real seal that uses an in-memory KMS. `portsOver` creates ports for the
 * fleet, for one process or for all.
 *
 *     const fleet = memoryFleet({ now });
 *     fleet.add('fb1', 'T-1');
 *     const ports = portsOver(fleet, direct, { limits, report, now, random, newId });
 */
import { createSeal } from '../../../lib/aws/seal.ts';
import type { Ports, Seal } from '../../../lib/leases/ports.ts';
import type { ArraysOptions } from '../../../lib/testing/arrays.ts';
import { type Cache, memorySecrets } from '../../../lib/testing/secrets.ts';
import { type LedgerIndex, memoryStore } from '../../../lib/testing/store.ts';
import { arraysWithFacts } from './arrays.ts';
import { type Hook, hooked } from './hook.ts';
import { memoryKms } from './memory-kms.ts';

export type Fleet = ReturnType<typeof memoryFleet>;

export type FleetOptions = ArraysOptions & {
  /** Default: reads a secret once and then returns the same version until a read is `fresh`. */
  readonly cache?: Cache;
  /** Default: never lags behind the table. */
  readonly index?: LedgerIndex;
  /** The number of partitions of the index for the next write. Default: one. */
  readonly dueShards?: () => number;
  /** Default: the real seal with an in-memory KMS. */
  readonly seal?: Seal;
};

export function memoryFleet({ cache, index, dueShards, seal, ...options }: FleetOptions) {
  const arrays = arraysWithFacts(options);
  const secrets = memorySecrets(cache);
  return {
    arrays,
    secrets,
    store: memoryStore(index, dueShards),
    seal: seal ?? sealOutsideTime(createSeal(memoryKms(), 'alias/leases')),
    /** Adds an array and its secret. */
    add: (name: string, token: string): void => {
      secrets.change(name, { token });
      arrays.accept(name, token);
    },
  };
}

/** Creates ports for the fleet. Every call passes through the hook. */
export const portsOver = (
  { secrets, store, seal, arrays: { flashblade } }: Fleet,
  hook: Hook,
  own: Pick<Ports, 'limits' | 'report' | 'now' | 'random' | 'newId' | 'executions'> & Partial<Pick<Ports, 'wait'>>,
): Ports => hooked({ secrets: secrets.port, store, seal, flashblade, wait: untilAborted, ...own }, hook);

/** A stopped clock never reaches the end of a wait. */
const untilAborted: Ports['wait'] = (_ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Removes deadlines from the seal. The real seal compares deadlines with the real clock, not with the test's clock. */
const sealOutsideTime = ({ dataKey, seal, unseal }: Seal): Seal => ({
  dataKey: (context) => dataKey(context, Number.POSITIVE_INFINITY),
  seal,
  unseal: (sealed, context) => unseal(sealed, context, Number.POSITIVE_INFINITY),
});
