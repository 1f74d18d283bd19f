/** A stand-in for AWS Secrets Manager. Its actions use the secrets in secret-store.ts. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { accessDenied } from './faults.ts';
import type { Kms } from './kms.ts';
import { operationsRefusing, serviceOf } from './operations.ts';
import { filters, matches, page } from './secret-search.ts';
import {
  addVersion,
  attach,
  CURRENT,
  findVersion,
  nameOf,
  type Secret,
  type SecretValue,
  secretStore,
  stagesByVersion,
  stagesOf,
  unmarked,
  type Version,
} from './secret-store.ts';

type Account = { readonly region: string; readonly accountId: string; readonly now: () => number; readonly kms: Kms };

export type SecretsManager = ReturnType<typeof secretsManagerStandIn>;

const BATCH_SIZE = 20;
const LIST_SIZE = 100;
const SECONDS_PER_DAY = 86_400;

const operation = operationsRefusing('InvalidParameterException');
const SecretId = z.string().min(1).max(2048);
const stage = z.string().min(1).max(256);
const content = {
  SecretString: z.string().min(1).max(65_536).optional(),
  SecretBinary: z.base64().optional(),
  ClientRequestToken: z.string().min(32).max(64).optional(),
};
const details = { Description: z.string().max(2048).optional(), KmsKeyId: z.string().max(2048).optional() };
const Tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }));
const pageOf = (max: number) => ({ MaxResults: z.int().min(1).max(max).optional(), NextToken: z.string().optional() });

type Content = { readonly [Name in keyof typeof content]?: string | undefined };

/** `kms` decides whether a secret with its own KMS key can be read and written. `now` is in seconds since the epoch. */
export function secretsManagerStandIn({ region, accountId, now, kms }: Account) {
  const store = secretStore(`arn:aws:secretsmanager:${region}:${accountId}:secret:`, now);

  const living = (): Secret[] => store.all().filter(({ deletionAt }) => deletionAt === undefined);

  function readValue(secret: Secret, wanted: Parameters<typeof findVersion>[1] = {}): object {
    if (secret.denied) throw accessDenied('secretsmanager:GetSecretValue');
    unmarked(secret);
    if (secret.kmsKeyId !== undefined && !kms.isUsable(secret.kmsKeyId))
      throw new AwsError('DecryptionFailure', "Secrets Manager can't decrypt the secret with its KMS key.");
    const { id, value, createdAt } = findVersion(secret, wanted);
    const stages = stagesOf(secret, id);
    return { ...nameOf(secret), VersionId: id, VersionStages: stages, CreatedDate: createdAt, ...value };
  }

  /** A secret that cannot be read does not affect the others. */
  function readValues(ids: readonly string[]) {
    const values: object[] = [];
    const errors: object[] = [];
    for (const id of ids) {
      try {
        values.push(readValue(store.find(id)));
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        errors.push({ SecretId: id, ErrorCode: error.name, Message: error.message });
      }
    }
    return { SecretValues: values, Errors: errors };
  }

  /** The version to write, if the request has a value. */
  function versionIn({ SecretString, SecretBinary, ClientRequestToken }: Content): Version | undefined {
    const value = valueIn(SecretString, SecretBinary);
    if (!value) return undefined;
    if (ClientRequestToken === undefined)
      throw new AwsError('InvalidRequestException', 'You must provide a ClientRequestToken value.');
    return { id: ClientRequestToken, value, createdAt: now() };
  }

  /** A secret without a KMS key uses the account's default key, which always works. */
  function mustEncrypt(keyId: string | undefined): void {
    if (keyId && !kms.isUsable(keyId))
      throw new AwsError('EncryptionFailure', "Secrets Manager can't encrypt the secret with this KMS key.");
  }

  const operations = {
    GetSecretValue: operation(
      z.strictObject({ SecretId: z.string(), VersionId: z.string().optional(), VersionStage: z.string().optional() }),
      ({ SecretId, VersionId, VersionStage }) =>
        readValue(store.find(SecretId), { id: VersionId, stage: VersionStage }),
    ),

    BatchGetSecretValue: operation(
      z
        .strictObject({
          SecretIdList: z.array(z.string()).min(1).max(BATCH_SIZE).optional(),
          Filters: filters.optional(),
          ...pageOf(BATCH_SIZE),
        })
        .refine(({ SecretIdList, Filters }) => (SecretIdList === undefined) !== (Filters === undefined))
        .refine(({ MaxResults, Filters }) => MaxResults === undefined || Filters !== undefined),
      ({ SecretIdList, Filters, MaxResults, NextToken }) => {
        if (SecretIdList) return readValues(SecretIdList);
        const found = living().filter((secret) => matches(secret, Filters ?? []));
        const { secrets, next } = page(found, { size: MaxResults ?? BATCH_SIZE, token: NextToken });
        return { ...readValues(secrets.map(({ name }) => name)), ...next };
      },
    ),

    ListSecrets: operation(
      z.strictObject({
        Filters: filters.default([]),
        IncludePlannedDeletion: z.boolean().default(false),
        SortOrder: z.enum(['asc', 'desc']).default('asc'),
        ...pageOf(LIST_SIZE),
      }),
      ({ Filters, IncludePlannedDeletion, SortOrder, MaxResults, NextToken }) => {
        const listed = IncludePlannedDeletion ? store.all() : living();
        const found = listed.filter((secret) => matches(secret, Filters));
        const size = MaxResults ?? LIST_SIZE;
        const { secrets, next } = page(found, { size, token: NextToken, descending: SortOrder === 'desc' });
        const entryOf = (secret: Secret) => ({
          ...detailsOf(secret),
          SecretVersionsToStages: stagesByVersion(secret),
        });
        return { SecretList: secrets.map(entryOf), ...next };
      },
    ),

    DescribeSecret: operation(z.strictObject({ SecretId: z.string() }), (input) => {
      const secret = store.find(input.SecretId);
      return { ...detailsOf(secret), VersionIdsToStages: stagesByVersion(secret) };
    }),

    CreateSecret: operation(
      z.strictObject({
        ...{ Name: z.string().regex(/^[\w/+=.@-]{1,512}$/), Tags: Tags.default([]), ...content, ...details },
      }),
      (input) => {
        const version = versionIn(input);
        const existing = store.lookUp(input.Name);
        if (existing) return createdBefore(existing, version);
        mustEncrypt(input.KmsKeyId);
        const secret = store.create(input.Name);
        secret.description = input.Description;
        secret.kmsKeyId = input.KmsKeyId || undefined;
        for (const { Key, Value } of input.Tags) secret.tags.set(Key, Value);
        if (version) addVersion(secret, version, [CURRENT]);
        return { ...nameOf(secret), VersionId: version?.id };
      },
    ),

    PutSecretValue: operation(
      z.strictObject({ SecretId, VersionStages: z.array(stage).min(1).max(20).default([CURRENT]), ...content }),
      (input) => {
        const secret = unmarked(store.find(input.SecretId));
        const version = versionIn(input);
        if (!version) throw new AwsError('InvalidRequestException', 'Provide either SecretString or SecretBinary.');
        mustEncrypt(secret.kmsKeyId);
        addVersion(secret, version, input.VersionStages);
        return { ...nameOf(secret), VersionId: version.id, VersionStages: stagesOf(secret, version.id) };
      },
    ),

    UpdateSecret: operation(z.strictObject({ SecretId, ...content, ...details }), (input) => {
      const secret = unmarked(store.find(input.SecretId));
      const version = versionIn(input);
      if (version && secret.versions.has(version.id))
        throw new AwsError('ResourceExistsException', 'ClientRequestToken names a version that exists.');
      mustEncrypt(input.KmsKeyId ?? secret.kmsKeyId);
      secret.description = input.Description ?? secret.description;
      secret.kmsKeyId = (input.KmsKeyId ?? secret.kmsKeyId) || undefined; // '' reverts to the account's default key
      secret.changedAt = now();
      if (version) addVersion(secret, version, [CURRENT]);
      return { ...nameOf(secret), VersionId: version?.id };
    }),

    UpdateSecretVersionStage: operation(
      z.strictObject({
        ...{ SecretId, VersionStage: stage },
        ...{ RemoveFromVersionId: z.string().optional(), MoveToVersionId: z.string().optional() },
      }),
      (input) => {
        const secret = unmarked(store.find(input.SecretId));
        moveStage(secret, input.VersionStage, input.RemoveFromVersionId, input.MoveToVersionId);
        secret.changedAt = now();
        return nameOf(secret);
      },
    ),

    DeleteSecret: operation(
      z.strictObject({
        SecretId,
        RecoveryWindowInDays: z.int().min(7).max(30).optional(),
        ForceDeleteWithoutRecovery: z.boolean().default(false),
      }),
      ({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }) => {
        if (ForceDeleteWithoutRecovery && RecoveryWindowInDays !== undefined)
          throw new AwsError(
            'InvalidParameterException',
            'Specify either a recovery window or deletion without recovery.',
          );
        if (ForceDeleteWithoutRecovery) {
          // Deleting a secret that does not exist is not an error.
          const secret = store.lookUp(SecretId);
          if (secret) store.remove(secret);
          return { ...(secret ? nameOf(secret) : { Name: SecretId }), DeletionDate: now() };
        }
        const secret = unmarked(store.find(SecretId));
        secret.deletionAt = now() + (RecoveryWindowInDays ?? 30) * SECONDS_PER_DAY;
        return { ...nameOf(secret), DeletionDate: secret.deletionAt };
      },
    ),

    RestoreSecret: operation(z.strictObject({ SecretId }), (input) => {
      const secret = store.find(input.SecretId);
      secret.deletionAt = undefined;
      return nameOf(secret);
    }),

    TagResource: operation(z.strictObject({ SecretId, Tags }), (input) => {
      const secret = unmarked(store.find(input.SecretId));
      for (const { Key, Value } of input.Tags) secret.tags.set(Key, Value);
      return {};
    }),
  };

  /** Creates the secret or a new AWSCURRENT version. Returns the version id. Objects become JSON. The call is not logged. */
  function put(name: string, value: string | object): string {
    const versionId = randomUUID();
    const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
    const version = { SecretString, ClientRequestToken: versionId };
    if (store.lookUp(name)) operations.PutSecretValue({ SecretId: name, ...version });
    else operations.CreateSecret({ Name: name, ...version });
    return versionId;
  }

  return {
    definition: serviceOf({ service: 'secretsmanager', target: 'secretsmanager' }, operations),
    put,
    /** Denies reads of this secret's value, alone or in a batch. Pass `false` to allow reads again. */
    deny: (id: string, denied = true): void => {
      store.find(id).denied = denied;
    },
  };
}

function valueIn(text: string | undefined, binary: string | undefined): SecretValue | undefined {
  if (text !== undefined && binary !== undefined)
    throw new AwsError('InvalidParameterException', 'A secret value is either a string or binary, not both.');
  if (text !== undefined) return { SecretString: text };
  return binary === undefined ? undefined : { SecretBinary: binary };
}

/** Repeating a request succeeds. */
function createdBefore(secret: Secret, version: Version | undefined): object {
  if (unmarked(secret) && version && secret.versions.has(version.id)) {
    addVersion(secret, version, []);
    return { ...nameOf(secret), VersionId: version.id };
  }
  throw new AwsError('ResourceExistsException', `The secret ${secret.name} already exists.`);
}

/** A request that moves or removes a label must name the version that has the label, so that no other version loses it. */
function moveStage(secret: Secret, stage: string, from: string | undefined, to: string | undefined): void {
  const holder = secret.stages.get(stage);
  const alreadyThere = to !== undefined && holder === to;
  if (to !== undefined && !secret.versions.has(to))
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret version.");
  if (to === undefined && from === undefined)
    throw new AwsError('InvalidParameterException', 'Name the version to move the label to, or to remove it from.');
  if (from !== holder && !alreadyThere)
    throw new AwsError('InvalidParameterException', `RemoveFromVersionId must name the version with ${stage}.`);
  if (to === undefined && stage === CURRENT)
    throw new AwsError('InvalidParameterException', `${CURRENT} can be moved, not removed.`);
  if (to === undefined) secret.stages.delete(stage);
  else attach(secret, stage, to);
}

const detailsOf = (secret: Secret): object => ({
  ...nameOf(secret),
  Description: secret.description,
  KmsKeyId: secret.kmsKeyId,
  CreatedDate: secret.createdAt,
  LastChangedDate: secret.changedAt,
  DeletedDate: secret.deletionAt,
  Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
});
