/** The secrets for an in-memory fleet. Tests can rotate secrets, move them to a different host, and read them through a cache. */
import { FlashBladeError } from '../core/errors.ts';
import { apiToken, type FlashBlade } from '../core/model.ts';
import type { Secrets } from '../leases/ports.ts';

export type Secret = FlashBlade & { readonly token: string; readonly versionId: string };

/** Returns what a read finds in the cache. `last` is the secret from the previous read. */
export type Cache = (versions: readonly Secret[], last: Secret | undefined) => Secret | undefined;

const DEFAULTS = { port: 443, trust: { kind: 'public' }, token: 'T-1' } as const;

export function memorySecrets(cache: Cache = (_, last) => last) {
  const versions = new Map<string, readonly Secret[]>();
  const lastRead = new Map<string, Secret>();

  const port: Secrets = {
    read: async (name, { fresh = false }) => {
      const all = versions.get(name) ?? [];
      const secret = (fresh ? undefined : cache(all, lastRead.get(name))) ?? all.at(-1);
      if (!secret) {
        throw new FlashBladeError('ARRAY_UNKNOWN', `there is no secret flashblade/${name}`, { secretDeleted: true });
      }
      lastRead.set(name, secret);
      const { token, versionId, ...array } = secret;
      return { array, apiToken: apiToken(token), versionId };
    },
    list: async () => [...versions.keys()].sort(),
  };

  return {
    port,
    /** Adds a version to a secret, or creates the secret. Omitted fields stay unchanged. */
    change: (name: string, fields: Partial<Omit<FlashBlade, 'name'> & { token: string }> = {}): Secret => {
      const before = versions.get(name) ?? [];
      const latest = before.at(-1) ?? { ...DEFAULTS, name, host: `${name}.example.com` };
      const next = { ...latest, ...fields, versionId: `v${before.length + 1}` };
      versions.set(name, [...before, next]);
      return next;
    },
    latest: (name: string): Secret | undefined => versions.get(name)?.at(-1),
    names: (): string[] => [...versions.keys()],
  };
}
