/**
 * A stand-in for AWS Secrets Manager: the actions and parameters that the product and its tests use. It refuses all others. A value is
 * text, and a version is AWSCURRENT, AWSPREVIOUS or without a label.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Kms } from './kms.ts';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

type Secret = {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyId?: string | undefined;
  readonly tags: Record<string, string>;
  /** The values, by version id. */
  readonly versions: Map<string, string>;
  /** The ids of AWSCURRENT and AWSPREVIOUS. */
  current: string;
  previous?: string;
  isScheduledForDeletion: boolean;
};

const LIST_SIZE = 100;

const operation = operationsRefusing('InvalidParameterException');
const SecretId = z.string().min(1).max(512);
const Tags = z
  .array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }))
  .transform((tags) => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])));
const content = {
  SecretString: z.string().min(1).max(65_536),
  /** The id of the new version. */
  ClientRequestToken: z.string().min(32).max(64),
};
const Filters = z.array(z.strictObject({ Key: z.literal('name'), Values: z.array(z.string().min(1)).min(1).max(10) }));

/** `kms` decides whether a secret with its own KMS key can be read and written. `arnPrefix`: `arn:aws:secretsmanager:…:secret:`. */
export function secretsManagerStandIn(arnPrefix: string, kms: Kms) {
  const secrets = new Map<string, Secret>();

  function find(name: string): Secret {
    const secret = secrets.get(name);
    if (secret) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  /** Finds a secret that can be read and written. */
  function findUsable(name: string, failure: 'DecryptionFailure' | 'EncryptionFailure'): Secret {
    const secret = find(name);
    if (secret.isScheduledForDeletion)
      throw new AwsError('InvalidRequestException', 'The secret is scheduled for deletion.');
    mustBeUsable(secret.kmsKeyId, failure);
    return secret;
  }

  /** A secret without a KMS key uses the account's default key, which always works. */
  function mustBeUsable(keyId: string | undefined, failure: string): void {
    if (keyId !== undefined && !kms.isUsable(keyId))
      throw new AwsError(failure, 'Secrets Manager cannot use the KMS key of this secret.');
  }

  /** Adds a version. If the id exists, the same value changes nothing and a different value is refused. */
  function write(
    secret: Secret,
    { SecretString: text, ClientRequestToken: id }: z.output<z.ZodObject<typeof content>>,
  ) {
    const known = secret.versions.get(id);
    if (known !== undefined && known !== text)
      throw new AwsError('ResourceExistsException', 'ClientRequestToken names a version with another value.');
    if (known === undefined) {
      if (secret.current) secret.previous = secret.current;
      secret.current = id;
      secret.versions.set(id, text);
    }
    return { ...nameOf(secret), VersionId: id };
  }

  const operations = {
    GetSecretValue: operation(z.strictObject({ SecretId }), (input) => {
      const secret = findUsable(input.SecretId, 'DecryptionFailure');
      const { current, versions } = secret;
      return {
        ...nameOf(secret),
        VersionId: current,
        VersionStages: ['AWSCURRENT'],
        SecretString: versions.get(current),
      };
    }),

    /** The token for the next page is the number of secrets to skip. */
    ListSecrets: operation(
      z.strictObject({
        Filters: Filters.default([]),
        MaxResults: z.int().min(1).max(LIST_SIZE).default(LIST_SIZE),
        NextToken: z.string().regex(/^\d+$/).optional(),
      }),
      ({ Filters, MaxResults, NextToken = '0' }) => {
        const found = [...secrets.values()]
          .filter(({ isScheduledForDeletion }) => !isScheduledForDeletion)
          .filter(({ name }) => Filters.every(({ Values }) => Values.some((prefix) => name.startsWith(prefix))));
        const end = Number(NextToken) + MaxResults;
        const next = end < found.length ? { NextToken: String(end) } : {};
        return { SecretList: found.slice(Number(NextToken), end).map(nameOf), ...next };
      },
    ),

    CreateSecret: operation(
      z.strictObject({
        Name: z.string().regex(/^[\w/+=.@-]{1,512}$/),
        Tags: Tags.default({}),
        KmsKeyId: z.string().min(1).max(2048).optional(),
        ...content,
      }),
      ({ Name: name, Tags, KmsKeyId: kmsKeyId, ...input }) => {
        const existing = secrets.get(name);
        // Repeating a request succeeds.
        if (existing?.versions.has(input.ClientRequestToken)) return write(existing, input);
        if (existing) throw new AwsError('ResourceExistsException', `The secret ${name} already exists.`);
        mustBeUsable(kmsKeyId, 'EncryptionFailure');
        // AWS appends six random characters to the name.
        const arn = `${arnPrefix}${name}-${randomBytes(3).toString('hex')}`;
        const secret: Secret = {
          name,
          arn,
          kmsKeyId,
          tags: Tags,
          versions: new Map(),
          current: '',
          isScheduledForDeletion: false,
        };
        secrets.set(name, secret);
        return write(secret, input);
      },
    ),

    PutSecretValue: operation(z.strictObject({ SecretId, ...content }), ({ SecretId, ...input }) =>
      write(findUsable(SecretId, 'EncryptionFailure'), input),
    ),

    TagResource: operation(z.strictObject({ SecretId, Tags }), (input) => {
      const { tags } = findUsable(input.SecretId, 'EncryptionFailure');
      Object.assign(tags, input.Tags);
      return {};
    }),
  };

  return {
    definition: serviceOf({ service: 'secretsmanager', target: 'secretsmanager' }, operations),
    /** A secret's key, tags and versions. Throws if there is no such secret. */
    find: (name: string): Readonly<Secret> => find(name),
    /** Schedules the deletion of a secret, which never happens. */
    scheduleDeletion: (name: string): void => {
      find(name).isScheduledForDeletion = true;
    },
    /** Creates the secret or a new version. Returns the version id. Objects become JSON. The call is not logged. */
    put(name: string, value: string | object): string {
      const versionId = randomUUID();
      const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
      const version = { SecretString, ClientRequestToken: versionId };
      if (secrets.has(name)) operations.PutSecretValue({ SecretId: name, ...version });
      else operations.CreateSecret({ Name: name, ...version });
      return versionId;
    },
  };
}

/** The response for most actions. */
const nameOf = ({ arn, name }: Secret) => ({ ARN: arn, Name: name });
