/** The arrays of the fleet and their API tokens: one secret per array in AWS Secrets Manager. */
import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  ListSecretsCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AWS_CALL_MS, awsErrorName, callAws } from '../ground/aws.ts';
import { FlashBladeError, isFlashBladeError } from '../ground/errors.ts';
import type { ApiToken, FlashBlade } from '../ground/model.ts';
import { parseSecret } from './secret-format.ts';

/** A stale secret is used for so long at the most while Secrets Manager does not answer. */
const STALE_SECONDS = 900;
const LIST_PAGES = 100;

export type ArraySecret = { readonly array: FlashBlade; readonly apiToken: ApiToken; readonly versionId: string };

export type Secrets = {
  /**
   * Reads an array's secret (AWSCURRENT), from the cache if it is young enough and `fresh` is not set. Ends at `by` (epoch, ms).
   * Throws ARRAY_UNKNOWN, SECRET_INVALID, SECRET_UNAVAILABLE, OUT_OF_TIME.
   */
  read(name: string, options: { by: number; fresh?: boolean }): Promise<ArraySecret>;
  /** Names of all arrays that have a secret under the prefix, sorted. Throws SECRET_UNAVAILABLE, OUT_OF_TIME. */
  list(options: { by: number }): Promise<string[]>;
};

type Options = {
  readonly client: SecretsManagerClient;
  readonly prefix: string;
  readonly cacheSeconds: number;
  /** Epoch, ms. */
  readonly now: () => number;
  /** Told the array's name each time a stale secret is used. */
  readonly onStale: (name: string) => void;
};

export function secretsOf({ client, prefix, cacheSeconds, now, onStale }: Options): Secrets {
  const cache = new Map<string, { secret: ArraySecret; readAt: number }>();
  const inFlight = new Map<string, { readonly by: number; readonly secret: Promise<ArraySecret> }>();

  async function fetch(name: string, by: number): Promise<ArraySecret> {
    const secret = parseSecret(name, prefix + name, await getValue(client, prefix + name, by));
    cache.set(name, { secret, readAt: now() });
    return secret;
  }

  // Concurrent reads share one call, unless it has less time than a new one would. A fresh read shares none that began before it.
  function fetchOnce(name: string, by: number): Promise<ArraySecret> {
    const running = inFlight.get(name);
    if (running !== undefined && running.by >= Math.min(by, Date.now() + AWS_CALL_MS)) return running.secret;
    const started = { by, secret: fetch(name, by) };
    inFlight.set(name, started);
    const end = (): void => {
      if (inFlight.get(name) === started) inFlight.delete(name);
    };
    started.secret.then(end, end);
    return started.secret;
  }

  async function read(name: string, { by, fresh = false }: { by: number; fresh?: boolean }): Promise<ArraySecret> {
    const cached = cache.get(name);
    const age = cached ? now() - cached.readAt : Number.POSITIVE_INFINITY;
    if (cached && !fresh && age < cacheSeconds * 1000) return cached.secret;
    try {
      return await (fresh ? fetch(name, by) : fetchOnce(name, by));
    } catch (error) {
      if (isFlashBladeError(error, 'ARRAY_UNKNOWN', 'SECRET_INVALID')) cache.delete(name);
      const usable = cached && !fresh && age < (cacheSeconds + STALE_SECONDS) * 1000;
      if (!usable || !isFlashBladeError(error, 'SECRET_UNAVAILABLE')) throw error;
      onStale(name);
      return cached.secret;
    }
  }

  return { read, list: (options) => listNames(client, prefix, options.by) };
}

async function getValue(client: SecretsManagerClient, id: string, by: number): Promise<GetSecretValueCommandOutput> {
  try {
    return await callAws((options) => client.send(new GetSecretValueCommand({ SecretId: id }), options), {
      what: `read the secret ${id}`,
      by,
      code: 'SECRET_UNAVAILABLE',
      passed: ['ResourceNotFoundException', 'InvalidRequestException'],
    });
  } catch (error) {
    if (isFlashBladeError(error)) throw error;
    const missing = awsErrorName(error) === 'ResourceNotFoundException';
    throw new FlashBladeError(
      'ARRAY_UNKNOWN',
      missing
        ? `there is no secret ${id}, or it has no current version: create it, or correct the array's name`
        : `the secret ${id} cannot be read, it is probably scheduled for deletion: restore it, or stop using the array`,
    );
  }
}

async function listNames(client: SecretsManagerClient, prefix: string, by: number): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < LIST_PAGES; page++) {
    const input = { Filters: [{ Key: 'name' as const, Values: [prefix] }], MaxResults: 100, NextToken: token };
    const answer = await callAws((options) => client.send(new ListSecretsCommand(input), options), {
      what: `list the secrets under ${prefix}`,
      by,
      code: 'SECRET_UNAVAILABLE',
    });
    for (const { Name } of answer.SecretList ?? []) if (Name?.startsWith(prefix)) names.push(Name.slice(prefix.length));
    token = answer.NextToken;
    if (!token) return names.sort();
  }
  throw new FlashBladeError('SECRET_UNAVAILABLE', `there are more than ${LIST_PAGES} pages of secrets under ${prefix}`);
}
