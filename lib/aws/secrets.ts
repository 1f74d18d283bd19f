/**
 * Reads each array's address, trust settings and API token from AWS Secrets Manager. Every array has its own secret, which is cached in the
 * process.
 */
import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  ListSecretsCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { FlashBladeError, isFlashBladeError } from '../core/errors.ts';
import type { ArraySecret, Secrets } from '../leases/ports.ts';
import { awsErrorName } from './aws-error.ts';
import { AWS_CALL_MS, callAws } from './client.ts';
import { parseSecret } from './secret-format.ts';

/** How long an expired cached secret may still be used while Secrets Manager is unavailable. */
const STALE_SECONDS = 900;

type Options = {
  readonly client: SecretsManagerClient;
  readonly prefix: string;
  readonly cacheSeconds: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called each time a stale secret is used. */
  readonly onStale: (array: string) => void;
};

export function createSecrets({ client, prefix, cacheSeconds, now, onStale }: Options): Secrets {
  const cache = new Map<string, { secret: ArraySecret; readAt: number }>();
  const inFlight = new Map<string, { readonly by: number; readonly secret: Promise<ArraySecret> }>();

  async function fetch(name: string, by: number): Promise<ArraySecret> {
    const secret = parseSecret(name, prefix + name, await getValue(client, prefix + name, by));
    cache.set(name, { secret, readAt: now() });
    return secret;
  }

  // Concurrent reads share one call, unless that call has less time left than a new call would have. A fresh read never shares a call.
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

  const read: Secrets['read'] = async (name, { by, fresh = false }) => {
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
  };

  return { read, list: ({ by, prefix: begin = '' }) => listNames(client, { prefix, begin, by }) };
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
    const secretDeleted = !missing || !lacksVersion(error);
    throw new FlashBladeError(
      'ARRAY_UNKNOWN',
      missing
        ? `secret ${id} does not exist or has no current version. Create the secret, or correct the array name`
        : `secret ${id} cannot be read, probably because it is scheduled for deletion. Restore the secret, or stop using the array`,
      secretDeleted ? { secretDeleted } : {},
    );
  }
}

/** Only the message distinguishes a secret without a current version from a secret that does not exist. */
const lacksVersion = (error: unknown): boolean => error instanceof Error && error.message.includes('staging label');

/** Reads every page, however many there are: a fleet check must not miss an array. */
async function listNames(
  client: SecretsManagerClient,
  { prefix, begin, by }: { prefix: string; begin: string; by: number },
): Promise<string[]> {
  const names: string[] = [];
  const tokens = new Set<string>();
  let token: string | undefined;
  do {
    const input = { Filters: [{ Key: 'name' as const, Values: [prefix + begin] }], MaxResults: 100, NextToken: token };
    const output = await callAws((options) => client.send(new ListSecretsCommand(input), options), {
      what: `list the secrets under ${prefix}`,
      by,
      code: 'SECRET_UNAVAILABLE',
    });
    for (const { Name, DeletedDate } of output.SecretList ?? []) {
      // ListSecrets can be out of date, so it may still return a secret that was just scheduled for deletion.
      if (Name?.startsWith(prefix + begin) && DeletedDate === undefined) names.push(Name.slice(prefix.length));
    }
    token = output.NextToken;
    if (token && tokens.size === tokens.add(token).size) {
      throw new FlashBladeError(
        'SECRET_UNAVAILABLE',
        `could not list the secrets under ${prefix}: Secrets Manager returned the same page twice`,
      );
    }
  } while (token);
  return names.sort();
}
