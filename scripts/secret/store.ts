/** The secrets in AWS Secrets Manager, for a person's own AWS credentials. Errors quote nothing that was sent. */
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type SecretsManagerClientConfig,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { awsErrorName } from '../../lib/aws/client.ts';
import { parseSecret } from '../../lib/aws/secret-format.ts';
import { FlashBladeError, known } from '../../lib/core/errors.ts';
import type { ArraySecret } from '../../lib/leases/ports.ts';
import { failure, isRefusal } from './aws-failure.ts';

/** A person waits longer than a function may: a new sign-in of SSO, a slow line. */
const CALL_MS = 60_000;
export const CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 5000, requestTimeout: 15_000, throwOnRequestTimeout: true },
} as const satisfies SecretsManagerClientConfig;

/** `fault`: why the value that is there cannot be used. */
export type Old =
  | { readonly exists: false; readonly secret?: undefined }
  | { readonly exists: true; readonly secret: ArraySecret }
  | { readonly exists: true; readonly secret?: undefined; readonly fault: string };

export type NewValue = {
  /** The array's name. */
  readonly name: string;
  /** JSON text of the secret. */
  readonly text: string;
  /** Whether the secret is there and gets another version, or is made. */
  readonly exists: boolean;
  /** Of a new secret; one that is there keeps its own. Default: the account's. */
  readonly kmsKey: string | undefined;
  /** Becomes the version's id: the same write again changes nothing. */
  readonly attemptId: string;
};

/** `tagged` is false if the value was written and its tags could not be. */
export type Written = { readonly versionId: string; readonly tagged: boolean };

export type Store = ReturnType<typeof storeOf>;

export function storeOf(client: SecretsManagerClient, prefix: string) {
  const idOf = (name: string): string => prefix + name;

  /** Throws CONFIG_INVALID without a region, SECRET_UNAVAILABLE if it is not known what the secret holds. */
  async function read(name: string, signal: AbortSignal): Promise<Old> {
    const id = idOf(name);
    await mustHaveRegion(client);
    try {
      const value = await client.send(new GetSecretValueCommand({ SecretId: id }), { abortSignal: limited(signal) });
      return secretIn(name, id, value);
    } catch (error) {
      if (awsErrorName(error) === 'ResourceNotFoundException') return { exists: false };
      throw failure('SECRET_UNAVAILABLE', `could not read the secret ${id}`, error);
    }
  }

  /** Writes the value once, however often a try has to be repeated. Throws AWS_UNAVAILABLE, and says whether it may be there. */
  async function write(value: NewValue): Promise<Written> {
    const id = idOf(value.name);
    try {
      return value.exists ? await put(id, value) : await create(id, value);
    } catch (error) {
      throw failure('AWS_UNAVAILABLE', `could not write the secret ${id}`, error, outcomeOf(error));
    }
  }

  async function create(id: string, { name, text, kmsKey, attemptId }: NewValue): Promise<Written> {
    const input = { Name: id, SecretString: text, ClientRequestToken: attemptId, Tags: tagsOf(name) };
    const key = kmsKey === undefined ? {} : { KmsKeyId: kmsKey };
    const { VersionId = attemptId } = await client.send(new CreateSecretCommand({ ...input, ...key }), {
      abortSignal: limited(),
    });
    return { versionId: VersionId, tagged: true };
  }

  async function put(id: string, { name, text, attemptId }: NewValue): Promise<Written> {
    const input = { SecretId: id, SecretString: text, ClientRequestToken: attemptId };
    const { VersionId = attemptId } = await client.send(new PutSecretValueCommand(input), { abortSignal: limited() });
    const tagging = client.send(new TagResourceCommand({ SecretId: id, Tags: tagsOf(name) }), {
      abortSignal: limited(),
    });
    return { versionId: VersionId, tagged: await tagging.then(() => true).catch(() => false) };
  }

  return { idOf, read, write };
}

const tagsOf = (name: string) => [
  { Key: 'product', Value: 'flashblade-sessions' },
  { Key: 'array', Value: name },
];

const limited = (signal?: AbortSignal): AbortSignal => {
  const limit = AbortSignal.timeout(CALL_MS);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
};

function secretIn(name: string, id: string, value: GetSecretValueCommandOutput): Old {
  try {
    return { exists: true, secret: parseSecret(name, id, value) };
  } catch (error) {
    return { exists: true, fault: known(error).message };
  }
}

async function mustHaveRegion(client: SecretsManagerClient): Promise<void> {
  const region = await client.config.region().catch(() => undefined);
  if (region === undefined)
    throw new FlashBladeError('CONFIG_INVALID', 'there is no AWS region: set AWS_REGION, or one in your AWS profile');
}

const outcomeOf = (error: unknown): string =>
  isRefusal(error) ? 'Nothing was written.' : 'Whether it was written is not known: run this again, that does no harm.';
