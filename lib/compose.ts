/** Creates the production ports, which call AWS through the AWS SDK and arrays over HTTPS. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AWS_CLIENT_OPTIONS } from './aws/client.ts';
import { createLeaseStore } from './aws/lease-store.ts';
import { createSeal } from './aws/seal.ts';
import { createSecrets } from './aws/secrets.ts';
import type { Config } from './core/config.ts';
import type { Reporter } from './core/reports.ts';
import { apiVersionsWithHttpInfo, loginWithHttpInfo, logoutWithHttpInfo, request } from './flashblade/client.ts';
import { withDefaults } from './flashblade/exchange.ts';
import type { ClosingPorts, Ports } from './leases/ports.ts';

/** How to call AWS. */
export interface AwsOptions {
  /** Default: the environment, such as `AWS_REGION`. */
  readonly region?: string | undefined;
  /** Default: the AWS SDK's usual sources, such as the environment, a profile or a role. */
  readonly credentials?: DynamoDBClientConfig['credentials'] | undefined;
  /** Your own clients, which are used as they are. Default: clients with short time limits. */
  readonly clients?:
    | { readonly dynamodb?: DynamoDBClient; readonly kms?: KMSClient; readonly secretsManager?: SecretsManagerClient }
    | undefined;
}

/** Creates the ports. AWS endpoints come from the environment. Errors thrown by `reporter` are ignored. */
export function createPorts(config: Config, reporter: Reporter, aws: AwsOptions = {}): Ports {
  const ports = createClosingPorts(config, reporter, aws);
  const secrets = createSecrets({
    client: aws.clients?.secretsManager ?? new SecretsManagerClient(clientOptions(aws)),
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
export function createClosingPorts(config: Config, reporter: Reporter, aws: AwsOptions = {}): ClosingPorts {
  const { clients } = aws;
  const budget = {
    connectTimeoutMs: config.CONNECT_TIMEOUT_MS,
    firstByteTimeoutMs: config.FIRST_BYTE_TIMEOUT_MS,
    timeoutMs: config.ANSWER_TIMEOUT_MS,
  };
  return {
    store: createLeaseStore(
      clients?.dynamodb ?? new DynamoDBClient(clientOptions(aws)),
      config.LEASE_TABLE,
      randomUUID,
      config.DUE_SHARDS,
    ),
    seal: createSeal(clients?.kms ?? new KMSClient(clientOptions(aws)), config.LEASE_KEY),
    flashblade: {
      login: (array, token, options) => loginWithHttpInfo(array, token, withDefaults(budget, options)),
      logout: (session, options) => logoutWithHttpInfo(session, withDefaults(budget, options)),
      apiVersions: (array, options) => apiVersionsWithHttpInfo(array, withDefaults(budget, options)),
      request: (session, call, options) => request(session, call, withDefaults(budget, options)),
    },
    limits: {
      sessionsPerArray: config.SESSIONS_PER_ARRAY,
      arrayIdleSeconds: config.ARRAY_IDLE_SECONDS,
      maxLeaseSeconds: config.MAX_LEASE_SECONDS,
    },
    report: harmless(reporter),
    now: Date.now,
    wait: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => {}),
    random: Math.random,
    newId: randomUUID,
  };
}

const clientOptions = ({ region, credentials }: AwsOptions) => ({
  ...AWS_CLIENT_OPTIONS,
  ...(region === undefined ? {} : { region }),
  ...(credentials === undefined ? {} : { credentials }),
});

/** Returns a reporter that never throws, because a reporting failure must not leak a session or hide an error. */
export const harmless =
  (report: Reporter): Reporter =>
  (line) => {
    try {
      report(line);
    } catch {}
  };
