/** The actions of Secrets Manager that take no value: labels, tags, deletion and restoring. */
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { type Operation, operationsRefusing } from './operations.ts';
import { attach, CURRENT, nameOf, type Secret, type SecretStore, unmarked } from './secret-store.ts';
import { tagList } from './secret-writes.ts';

/** `now` in seconds since the epoch. */
type Account = { readonly store: SecretStore; readonly now: () => number };

const operation = operationsRefusing('InvalidParameterException');
const SecretId = z.string().min(1).max(2048);
const SECONDS_PER_DAY = 86_400;

export const lifecycleOperations = (account: Account) => ({
  UpdateSecretVersionStage: updateSecretVersionStage(account),
  DeleteSecret: deleteSecret(account),
  RestoreSecret: restoreSecret(account),
  TagResource: tagResource(account),
});

const updateSecretVersionStage = ({ store, now }: Account): Operation =>
  operation(
    z.strictObject({
      SecretId,
      VersionStage: z.string().min(1).max(256),
      RemoveFromVersionId: z.string().optional(),
      MoveToVersionId: z.string().optional(),
    }),
    (input) => {
      const secret = unmarked(store.find(input.SecretId));
      moveStage(secret, input.VersionStage, { from: input.RemoveFromVersionId, to: input.MoveToVersionId });
      secret.changedAt = now();
      return nameOf(secret);
    },
  );

/** A request that moves or removes a label must name the version that has it, so that it cannot take it from an unexpected one. */
function moveStage(secret: Secret, stage: string, { from, to }: Record<'from' | 'to', string | undefined>): void {
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

const deleteSecret = ({ store, now }: Account): Operation =>
  operation(
    z.strictObject({
      SecretId,
      RecoveryWindowInDays: z.int().min(7).max(30).optional(),
      ForceDeleteWithoutRecovery: z.boolean().default(false),
    }),
    (input) => {
      if (input.ForceDeleteWithoutRecovery && input.RecoveryWindowInDays !== undefined)
        throw new AwsError('InvalidParameterException', 'Either a recovery window, or deletion without recovery.');
      if (input.ForceDeleteWithoutRecovery) return deleteNow(input.SecretId, store, now());
      const secret = unmarked(store.find(input.SecretId));
      secret.deletionAt = now() + (input.RecoveryWindowInDays ?? 30) * SECONDS_PER_DAY;
      return { ...nameOf(secret), DeletionDate: secret.deletionAt };
    },
  );

/** Deleting a secret that does not exist is no error. */
function deleteNow(id: string, store: SecretStore, at: number): object {
  const secret = store.lookUp(id);
  if (secret) store.remove(secret);
  return { ...(secret ? nameOf(secret) : { Name: id }), DeletionDate: at };
}

const restoreSecret = ({ store }: Account): Operation =>
  operation(z.strictObject({ SecretId }), (input) => {
    const secret = store.find(input.SecretId);
    secret.deletionAt = undefined;
    return nameOf(secret);
  });

const tagResource = ({ store }: Account): Operation =>
  operation(z.strictObject({ SecretId, Tags: tagList }), (input) => {
    const secret = unmarked(store.find(input.SecretId));
    for (const { Key, Value } of input.Tags) secret.tags.set(Key, Value);
    return {};
  });
