/** The keys of KMS, and the four ways to name one. */
import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';

/** `createdAt` in seconds since the epoch; `material` is 32 bytes. */
export type Key = {
  readonly keyId: string;
  readonly arn: string;
  readonly material: Buffer;
  readonly createdAt: number;
  enabled: boolean;
};

export type KeyStore = ReturnType<typeof keyStore>;

/** `arnPrefix` is `arn:aws:kms:<region>:<account>:`. */
export function keyStore(arnPrefix: string, now: () => number) {
  const keys = new Map<string, Key>();
  const aliases = new Map<string, string>();

  /** Creates an enabled key. `alias` begins with `alias/`, and moves to the new key if another one has it. */
  function create(alias?: string): Key {
    const keyId = randomUUID();
    const arn = `${arnPrefix}key/${keyId}`;
    const key: Key = { keyId, arn, material: randomBytes(32), createdAt: now(), enabled: true };
    keys.set(keyId, key);
    if (alias !== undefined) aliases.set(alias, keyId);
    return key;
  }

  const nameIn = (identifier: string): string => identifier.replace(arnPrefix, '').replace(/^key\//, '');

  /** By key id, key ARN, alias name or alias ARN. */
  function lookUp(identifier: string): Key | undefined {
    const name = nameIn(identifier);
    return keys.get(aliases.get(name) ?? name);
  }

  function find(identifier: string): Key {
    const key = lookUp(identifier);
    if (key) return key;
    const name = nameIn(identifier);
    const what = name.startsWith('alias/') ? `Alias ${arnPrefix}${name} is not found.` : `Key '${name}' does not exist`;
    throw new AwsError('NotFoundException', what);
  }

  return { create, lookUp, find };
}

/** The key. Throws if it is disabled. */
export function usable(key: Key): Key {
  if (!key.enabled) throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  return key;
}
