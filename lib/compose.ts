/** Creates the production ports, which call AWS through the AWS SDK and arrays over HTTPS. */
import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AWS_CLIENT_OPTIONS } from './aws/client.ts';
import { createLeaseStore } from './aws/lease-store.ts';
import { createSeal } from './aws/seal.ts';
import { createSecrets } from './aws/secrets.ts';
import type { Config } from './core/config.ts';
import type { Reporter } from './core/reports.ts';
import { apiVersionsWithHttpInfo, loginWithHttpInfo, logoutWithHttpInfo, request } from './flashblade/client.ts';
import type { ClosingPorts, Ports } from './leases/ports.ts';

/** Creates the ports. The AWS region, credentials and endpoints come from the environment. Errors thrown by `reporter` are ignored. */
export function createPorts(config: Config, reporter: Reporter): Ports {
  const ports = createClosingPorts(config, reporter);
  const secrets = createSecrets({
    client: new SecretsManagerClient(AWS_CLIENT_OPTIONS),
    prefix: config.SECRET_PREFIX,
    cacheSeconds: config.SECRET_CACHE_SECONDS,
    now: Date.now,
    onStale: (array) => {
      const message = 'Secrets Manager is unavailable; using a cached secret';
      ports.report({ event: 'StaleSecretServed', array, message });
    },
  });
  return { ...ports, secrets };
}

/** Like `createPorts`, but for functions that only close sessions. Keeps the Secrets Manager client out of their bundles. */
export function createClosingPorts(config: Config, reporter: Reporter): ClosingPorts {
  const budget = {
    connectMs: config.CONNECT_TIMEOUT_MS,
    firstByteMs: config.FIRST_BYTE_TIMEOUT_MS,
    totalMs: config.ANSWER_TIMEOUT_MS,
  };
  return {
    store: createLeaseStore(new DynamoDBClient(AWS_CLIENT_OPTIONS), config.LEASE_TABLE, randomUUID, config.DUE_SHARDS),
    seal: createSeal(new KMSClient(AWS_CLIENT_OPTIONS), config.LEASE_KEY),
    flashblade: {
      login: (array, token, options) => loginWithHttpInfo(array, token, { ...budget, ...options }),
      logout: (session, options) => logoutWithHttpInfo(session, { ...budget, ...options }),
      apiVersions: (array, options) => apiVersionsWithHttpInfo(array, { ...budget, ...options }),
      request: (session, call, options) => request(session, call, { ...budget, ...options }),
    },
    limits: {
      sessionsPerArray: config.SESSIONS_PER_ARRAY,
      arrayIdleSeconds: config.ARRAY_IDLE_SECONDS,
      maxLeaseSeconds: config.MAX_LEASE_SECONDS,
    },
    report: harmless(reporter),
    now: Date.now,
    random: Math.random,
    newId: randomUUID,
  };
}

/** Returns a reporter that never throws, because a reporting failure must not leak a session or hide an error. */
export const harmless =
  (report: Reporter): Reporter =>
  (line) => {
    try {
      report(line);
    } catch {}
  };
