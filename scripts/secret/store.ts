/** Accesses secrets in AWS Secrets Manager with the user's AWS credentials. Error messages never quote a request. */
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type SecretsManagerClientConfig,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { AwsAgent } from '../../lib/aws/agent.ts';
import { awsErrorName } from '../../lib/aws/aws-error.ts';
import { parseSecret } from '../../lib/aws/secret-format.ts';
import { FlashBladeError, known } from '../../lib/core/errors.ts';
import type { ArraySecret } from '../../lib/leases/ports.ts';
import { failure, isRefusal } from './aws-failure.ts';

/** These timeouts are longer than those in the functions, because of SSO and slow networks. */
const CALL_MS = 60_000;
export const CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: {
    httpsAgent: new AwsAgent(5000),
    connectionTimeout: 5050,
    requestTimeout: 15_000,
    throwOnRequestTimeout: true,
  },
} as const satisfies SecretsManagerClientConfig;

/** `fault` is the reason why the current value is invalid. */
export type Old =
  | { readonly exists: false; readonly secret?: undefined }
  | { readonly exists: true; readonly secret: ArraySecret }
  | { readonly exists: true; readonly secret?: undefined; readonly fault: string };

export type NewValue = {
  /** The array's name. */
  readonly name: string;
  /** The secret as JSON text. */
  readonly text: string;
  /** If true, the secret exists and gets a new version. Otherwise, the secret is created. */
  readonly exists: boolean;
  /** The KMS key for a new secret. An existing secret keeps its key. Default: the account's default key. */
  readonly kmsKey: string | undefined;
  /** Becomes the version id, so that repeating the write changes nothing. */
  readonly attemptId: string;
};

/** `tagged` is false if the value was written but the tags were not. */
export type Written = { readonly versionId: string; readonly tagged: boolean };

export type Store = ReturnType<typeof storeOf>;

export function storeOf(client: SecretsManagerClient, prefix: string) {
  const idOf = (name: string): string => prefix + name;

  /** Throws CONFIG_INVALID if no region is set, and SECRET_UNAVAILABLE if the secret cannot be read. */
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

  /**
   * Writes the value once, even if the SDK retries. Throws AWS_UNAVAILABLE with a message that says whether the write may have succeeded.
   */
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
    throw new FlashBladeError(
      'CONFIG_INVALID',
      'no AWS region is set; set AWS_REGION, or a region in your AWS profile',
    );
}

const outcomeOf = (error: unknown): string =>
  isRefusal(error) ? 'Nothing was written.' : 'The secret may have been written. It is safe to run the command again.';
