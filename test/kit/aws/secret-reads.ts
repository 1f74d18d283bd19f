/** The actions of Secrets Manager that read secrets. */
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { accessDenied } from './faults.ts';
import type { Kms } from './kms.ts';
import { type Operation, operationsRefusing } from './operations.ts';
import { filters, matches, page } from './secret-search.ts';
import {
  findVersion,
  nameOf,
  type Secret,
  type SecretStore,
  stagesByVersion,
  stagesOf,
  unmarked,
} from './secret-store.ts';

const operation = operationsRefusing('InvalidParameterException');
const pageOf = (max: number) => ({ MaxResults: z.int().min(1).max(max).optional(), NextToken: z.string().optional() });
const BATCH_SIZE = 20;
const LIST_SIZE = 100;

export const readOperations = (store: SecretStore, kms: Kms) => ({
  GetSecretValue: getSecretValue(store, kms),
  BatchGetSecretValue: batchGetSecretValue(store, kms),
  ListSecrets: listSecrets(store),
  DescribeSecret: describeSecret(store),
});

const getSecretValue = (store: SecretStore, kms: Kms): Operation =>
  operation(
    z.strictObject({ SecretId: z.string(), VersionId: z.string().optional(), VersionStage: z.string().optional() }),
    ({ SecretId, VersionId, VersionStage }) =>
      readValue(store.find(SecretId), kms, { id: VersionId, stage: VersionStage }),
  );

function readValue(secret: Secret, kms: Kms, wanted: Parameters<typeof findVersion>[1] = {}): object {
  if (secret.denied) throw accessDenied('secretsmanager:GetSecretValue');
  unmarked(secret);
  if (secret.kmsKeyId !== undefined && !kms.isUsable(secret.kmsKeyId))
    throw new AwsError('DecryptionFailure', "Secrets Manager can't decrypt the secret with its KMS key.");
  const { id, value, createdAt } = findVersion(secret, wanted);
  const stages = stagesOf(secret, id);
  return { ...nameOf(secret), VersionId: id, VersionStages: stages, CreatedDate: createdAt, ...value };
}

const batchGetSecretValue = (store: SecretStore, kms: Kms): Operation =>
  operation(
    z
      .strictObject({
        SecretIdList: z.array(z.string()).min(1).max(BATCH_SIZE).optional(),
        Filters: filters.optional(),
        ...pageOf(BATCH_SIZE),
      })
      .refine(({ SecretIdList, Filters }) => (SecretIdList === undefined) !== (Filters === undefined))
      .refine(({ MaxResults, Filters }) => MaxResults === undefined || Filters !== undefined),
    ({ SecretIdList, Filters, MaxResults, NextToken }) => {
      if (SecretIdList) return readValues(SecretIdList, store, kms);
      const found = living(store).filter((secret) => matches(secret, Filters ?? []));
      const { secrets, next } = page(found, { size: MaxResults ?? BATCH_SIZE, token: NextToken });
      const names = secrets.map(({ name }) => name);
      return { ...readValues(names, store, kms), ...next };
    },
  );

/** A secret that cannot be read does not affect the others. */
function readValues(ids: readonly string[], store: SecretStore, kms: Kms) {
  const values: object[] = [];
  const errors: object[] = [];
  for (const id of ids) {
    try {
      values.push(readValue(store.find(id), kms));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push({ SecretId: id, ErrorCode: error.name, Message: error.message });
    }
  }
  return { SecretValues: values, Errors: errors };
}

const listSecrets = (store: SecretStore): Operation =>
  operation(
    z.strictObject({
      Filters: filters.default([]),
      IncludePlannedDeletion: z.boolean().default(false),
      SortOrder: z.enum(['asc', 'desc']).default('asc'),
      ...pageOf(LIST_SIZE),
    }),
    ({ Filters, IncludePlannedDeletion, SortOrder, MaxResults, NextToken }) => {
      const listed = IncludePlannedDeletion ? store.all() : living(store);
      const { secrets, next } = page(
        listed.filter((secret) => matches(secret, Filters)),
        { size: MaxResults ?? LIST_SIZE, token: NextToken, descending: SortOrder === 'desc' },
      );
      const entries = secrets.map((secret) => ({
        ...detailsOf(secret),
        SecretVersionsToStages: stagesByVersion(secret),
      }));
      return { SecretList: entries, ...next };
    },
  );

const describeSecret = (store: SecretStore): Operation =>
  operation(z.strictObject({ SecretId: z.string() }), ({ SecretId }) => {
    const secret = store.find(SecretId);
    return { ...detailsOf(secret), VersionIdsToStages: stagesByVersion(secret) };
  });

const detailsOf = (secret: Secret): object => ({
  ...nameOf(secret),
  Description: secret.description,
  KmsKeyId: secret.kmsKeyId,
  CreatedDate: secret.createdAt,
  LastChangedDate: secret.changedAt,
  DeletedDate: secret.deletionAt,
  Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
});

const living = (store: SecretStore): Secret[] => store.all().filter(({ deletionAt }) => deletionAt === undefined);
