/** The actions of Secrets Manager that write values: CreateSecret, PutSecretValue, UpdateSecret. */
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import type { Kms } from './kms.ts';
import { type Operation, operationsRefusing } from './operations.ts';
import {
  addVersion,
  CURRENT,
  nameOf,
  type Secret,
  type SecretStore,
  type SecretValue,
  stagesOf,
  unmarked,
} from './secret-store.ts';

/** `now` in seconds since the epoch. */
type Account = { readonly store: SecretStore; readonly kms: Kms; readonly now: () => number };

const operation = operationsRefusing('InvalidParameterException');
const secretId = z.string().min(1).max(2048);
const content = {
  SecretString: z.string().min(1).max(65_536).optional(),
  SecretBinary: z.base64().optional(),
  ClientRequestToken: z.string().min(32).max(64).optional(),
};
const details = { Description: z.string().max(2048).optional(), KmsKeyId: z.string().max(2048).optional() };
export const tagList = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }));

type Content = { readonly [Name in keyof typeof content]?: string | undefined };

export const writeOperations = (account: Account) => ({
  CreateSecret: createSecret(account),
  PutSecretValue: putSecretValue(account),
  UpdateSecret: updateSecret(account),
});

const createSecret = ({ store, kms, now }: Account): Operation =>
  operation(
    z.strictObject({
      Name: z.string().regex(/^[\w/+=.@-]{1,512}$/),
      Tags: tagList.default([]),
      ...content,
      ...details,
    }),
    (input) => {
      const version = versionIn(input, now);
      const existing = store.lookUp(input.Name);
      if (existing) return createdBefore(existing, version);
      mustEncrypt(kms, input.KmsKeyId);
      const secret = store.create(input.Name);
      secret.description = input.Description;
      secret.kmsKeyId = input.KmsKeyId || undefined;
      for (const { Key, Value } of input.Tags) secret.tags.set(Key, Value);
      if (version) addVersion(secret, version, [CURRENT]);
      return { ...nameOf(secret), VersionId: version?.id };
    },
  );

/** Repeating a request succeeds. */
function createdBefore(secret: Secret, version: Version | undefined): object {
  if (unmarked(secret) && version && secret.versions.has(version.id)) {
    addVersion(secret, version, []);
    return { ...nameOf(secret), VersionId: version.id };
  }
  throw new AwsError('ResourceExistsException', `The secret ${secret.name} already exists.`);
}

const putSecretValue = ({ store, kms, now }: Account): Operation =>
  operation(
    z.strictObject({
      SecretId: secretId,
      VersionStages: z.array(z.string().min(1).max(256)).min(1).max(20).default([CURRENT]),
      ...content,
    }),
    (input) => {
      const secret = unmarked(store.find(input.SecretId));
      const version = versionIn(input, now);
      if (!version) throw new AwsError('InvalidRequestException', 'Provide either SecretString or SecretBinary.');
      mustEncrypt(kms, secret.kmsKeyId);
      addVersion(secret, version, input.VersionStages);
      return { ...nameOf(secret), VersionId: version.id, VersionStages: stagesOf(secret, version.id) };
    },
  );

const updateSecret = ({ store, kms, now }: Account): Operation =>
  operation(z.strictObject({ SecretId: secretId, ...content, ...details }), (input) => {
    const secret = unmarked(store.find(input.SecretId));
    const version = versionIn(input, now);
    if (version && secret.versions.has(version.id))
      throw new AwsError('ResourceExistsException', 'ClientRequestToken names a version that exists.');
    mustEncrypt(kms, input.KmsKeyId ?? secret.kmsKeyId);
    secret.description = input.Description ?? secret.description;
    secret.kmsKeyId = (input.KmsKeyId ?? secret.kmsKeyId) || undefined; // '' reverts to the account's default key
    secret.changedAt = now();
    if (version) addVersion(secret, version, [CURRENT]);
    return { ...nameOf(secret), VersionId: version?.id };
  });

type Version = Parameters<typeof addVersion>[1];

/** The version to write, if the request has a value. */
function versionIn(
  { SecretString, SecretBinary, ClientRequestToken }: Content,
  now: () => number,
): Version | undefined {
  const value = valueIn(SecretString, SecretBinary);
  if (!value) return undefined;
  if (ClientRequestToken === undefined)
    throw new AwsError('InvalidRequestException', 'You must provide a ClientRequestToken value.');
  return { id: ClientRequestToken, value, createdAt: now() };
}

function valueIn(text: string | undefined, binary: string | undefined): SecretValue | undefined {
  if (text !== undefined && binary !== undefined)
    throw new AwsError('InvalidParameterException', 'A secret value is either a string or binary, not both.');
  if (text !== undefined) return { SecretString: text };
  return binary === undefined ? undefined : { SecretBinary: binary };
}

/** A secret without a KMS key uses the account's default key, which always works. */
function mustEncrypt(kms: Kms, keyId: string | undefined): void {
  if (keyId && !kms.isUsable(keyId))
    throw new AwsError('EncryptionFailure', "Secrets Manager can't encrypt the secret with this KMS key.");
}
