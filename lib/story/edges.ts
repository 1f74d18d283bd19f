/** Everything that the story reaches the world through: one plain object, built once from the configuration. */
import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  type Answer,
  type ArrayRequest,
  apiVersionsWithHttpInfo,
  type CallOptions,
  loginWithHttpInfo,
  logoutWithHttpInfo,
  request,
  type VersionsOptions,
  type WithHttpInfo,
} from '../edges/flashblade.ts';
import { type LeaseStore, leasesOf } from '../edges/leases.ts';
import { type Seal, sealOf } from '../edges/seal.ts';
import { type Secrets, secretsOf } from '../edges/secrets.ts';
import { AWS_CLIENT_OPTIONS } from '../ground/aws.ts';
import { type Config, readConfig } from '../ground/config.ts';
import type { ApiToken, FlashBlade, Session } from '../ground/model.ts';
import { EVENTS, type Reporter } from '../ground/reports.ts';

export type Edges = {
  readonly secrets: Secrets;
  readonly leases: LeaseStore;
  readonly seal: Seal;
  readonly flashblade: {
    login(array: FlashBlade, token: ApiToken, options: CallOptions): Promise<WithHttpInfo<Session>>;
    logout(session: Session, options: CallOptions): Promise<WithHttpInfo<void>>;
    apiVersions(array: FlashBlade, options: VersionsOptions): Promise<WithHttpInfo<readonly string[]>>;
    request(session: Session, call: ArrayRequest, options: CallOptions): Promise<Answer>;
  };
  readonly limits: {
    readonly sessionsPerArray: number;
    readonly arrayIdleSeconds: number;
    readonly maxLeaseSeconds: number;
  };
  readonly report: Reporter;
  /** Epoch, ms. */
  now(): number;
  /** 0 to 1. */
  random(): number;
  /** Never the same twice. */
  newId(): string;
};

/** What closes sessions: nothing of it can read an API token. */
export type ClosingEdges = Omit<Edges, 'secrets'>;

/** Builds the real edges: AWS by its SDK (region, credentials and endpoints from the environment), arrays over HTTPS. */
export function edgesOf(config: Config, reporter: Reporter): Edges {
  const edges = closingEdgesOf(config, reporter);
  const secrets = secretsOf({
    client: new SecretsManagerClient(AWS_CLIENT_OPTIONS),
    prefix: config.SECRET_PREFIX,
    cacheSeconds: config.SECRET_CACHE_SECONDS,
    now: Date.now,
    onStale: (array) =>
      edges.report({
        event: 'StaleSecretServed',
        array,
        message: 'Secrets Manager does not answer: a cached secret is used',
      }),
  });
  return { ...edges, secrets };
}

/** As `edgesOf`, for functions that only close: a bundle with it has no client of Secrets Manager. */
export function closingEdgesOf(config: Config, reporter: Reporter): ClosingEdges {
  const budget = {
    connectMs: config.CONNECT_TIMEOUT_MS,
    firstByteMs: config.FIRST_BYTE_TIMEOUT_MS,
    totalMs: config.ANSWER_TIMEOUT_MS,
  };
  return {
    leases: leasesOf(new DynamoDBClient(AWS_CLIENT_OPTIONS), config.LEASE_TABLE),
    seal: sealOf(new KMSClient(AWS_CLIENT_OPTIONS), config.LEASE_KEY),
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

let fromEnvironment: Edges | undefined;

/**
 * The edges of this process by its environment variables, built at the first call. Warnings and errors that they report are JSON
 * lines on stderr. Throws CONFIG_INVALID.
 */
export function environmentEdges(): Edges {
  fromEnvironment ??= edgesOf(readConfig(process.env), (report) => {
    const level = EVENTS[report.event];
    if (level !== 'info') process.stderr.write(`${JSON.stringify({ level, ...report })}\n`);
  });
  return fromEnvironment;
}

/** The same, but it never throws: a report that fails must not make a session be forgotten, or an error another one. */
export const harmless =
  (report: Reporter): Reporter =>
  (line) => {
    try {
      report(line);
    } catch {}
  };
