/**
 * A stand-in for AWS Secrets Manager: the actions and parameters that the product and its tests use. It refuses all others. A value is
 * text. Faults simulate secrets that cannot be read, such as those that are scheduled for deletion.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

type Secret = {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyId?: string | undefined;
  readonly tags: Record<string, string>;
  /** The values, by version id. The last one is AWSCURRENT, and the one before it AWSPREVIOUS. */
  readonly versions: Map<string, string>;
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

/** `arnPrefix`: `arn:aws:secretsmanager:<region>:<account>:secret:`. */
export function secretsManagerStandIn(arnPrefix: string) {
  const secrets = new Map<string, Secret>();

  function find(name: string): Secret {
    const secret = secrets.get(name);
    if (secret) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  /** Adds a version. If the id exists, the same value changes nothing and a different value is refused. */
  function write(
    secret: Secret,
    { SecretString: text, ClientRequestToken: id }: z.output<z.ZodObject<typeof content>>,
  ) {
    const known = secret.versions.get(id);
    if (known !== undefined && known !== text)
      throw new AwsError('ResourceExistsException', 'ClientRequestToken names a version with another value.');
    secret.versions.set(id, text);
    return { ...nameOf(secret), VersionId: id };
  }

  const operations = {
    GetSecretValue: operation(z.strictObject({ SecretId }), (input) => {
      const secret = find(input.SecretId);
      const [VersionId, SecretString] = [...secret.versions].at(-1) ?? [];
      return { ...nameOf(secret), VersionId, VersionStages: ['AWSCURRENT'], SecretString };
    }),

    /** The token for the next page is the number of secrets to skip. */
    ListSecrets: operation(
      z.strictObject({
        Filters: Filters.default([]),
        MaxResults: z.int().min(1).max(LIST_SIZE).default(LIST_SIZE),
        NextToken: z.string().regex(/^\d+$/).optional(),
      }),
      ({ Filters, MaxResults, NextToken = '0' }) => {
        const found = [...secrets.values()].filter(({ name }) =>
          Filters.every(({ Values }) => Values.some((prefix) => name.startsWith(prefix))),
        );
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
        // AWS appends six random characters to the name.
        const arn = `${arnPrefix}${name}-${randomBytes(3).toString('hex')}`;
        const secret: Secret = { name, arn, kmsKeyId, tags: Tags, versions: new Map() };
        secrets.set(name, secret);
        return write(secret, input);
      },
    ),

    PutSecretValue: operation(z.strictObject({ SecretId, ...content }), ({ SecretId, ...input }) =>
      write(find(SecretId), input),
    ),

    TagResource: operation(z.strictObject({ SecretId, Tags }), (input) => {
      const { tags } = find(input.SecretId);
      Object.assign(tags, input.Tags);
      return {};
    }),
  };

  return {
    definition: serviceOf({ service: 'secretsmanager', target: 'secretsmanager' }, operations),
    /** A secret's key, tags and versions. Throws if there is no such secret. */
    find: (name: string): Readonly<Secret> => find(name),
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
