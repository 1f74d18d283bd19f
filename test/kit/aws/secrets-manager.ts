/** A stand-in for AWS Secrets Manager: its actions, over the secrets of secret-store.ts. */
import { randomUUID } from 'node:crypto';
import type { Kms } from './kms.ts';
import { serviceOf } from './operations.ts';
import { lifecycleOperations } from './secret-lifecycle.ts';
import { readOperations } from './secret-reads.ts';
import { secretStore } from './secret-store.ts';
import { writeOperations } from './secret-writes.ts';

type Account = { readonly region: string; readonly accountId: string; readonly now: () => number; readonly kms: Kms };

export type SecretsManager = ReturnType<typeof secretsManagerStandIn>;

/** `kms` decides whether a secret that names a KMS key can be read and written. `now` is in seconds since the epoch. */
export function secretsManagerStandIn({ region, accountId, now, kms }: Account) {
  const store = secretStore(`arn:aws:secretsmanager:${region}:${accountId}:secret:`, now);
  const writes = writeOperations({ store, kms, now });
  const operations = { ...readOperations(store, kms), ...writes, ...lifecycleOperations({ store, now }) };

  /** Creates the secret, or a new AWSCURRENT version, without a logged call. Returns the version id. Objects become JSON. */
  function put(name: string, value: string | object): string {
    const versionId = randomUUID();
    const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
    const version = { SecretString, ClientRequestToken: versionId };
    if (store.lookUp(name)) writes.PutSecretValue({ SecretId: name, ...version });
    else writes.CreateSecret({ Name: name, ...version });
    return versionId;
  }

  return {
    definition: serviceOf({ service: 'secretsmanager', target: 'secretsmanager' }, operations),
    put,
    /** Denies reading the value of this secret, alone or in a batch, until `denied: false`. */
    deny: (id: string, denied = true): void => {
      store.find(id).denied = denied;
    },
  };
}
