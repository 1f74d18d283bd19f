/** The secrets of the fleet in memory. They are rotated, moved to another host, and read through a stale cache. */
import { FlashBladeError } from '../../../lib/core/errors.ts';

type Secret = { readonly host: string; readonly token: string; readonly versionId: string };

/** `isStale` decides whether a read returns the previous version. */
export function memorySecrets(isStale: () => boolean) {
  const versions = new Map<string, readonly Secret[]>();

  function change(name: string, { host, token }: Partial<Secret>): Secret {
    const before = versions.get(name) ?? [];
    const latest = before.at(-1) ?? { host: `${name}.example.com`, token: 'T-1' };
    const next = { host: host ?? latest.host, token: token ?? latest.token, versionId: `v${before.length + 1}` };
    versions.set(name, [...before, next]);
    return next;
  }

  function read(name: string, fresh: boolean): Secret {
    const all = versions.get(name) ?? [];
    const secret = (!fresh && isStale() && all.at(-2)) || all.at(-1);
    if (!secret) throw new FlashBladeError('ARRAY_UNKNOWN', `there is no secret of array ${name}`);
    return secret;
  }

  return { change, read, names: () => [...versions.keys()] };
}
