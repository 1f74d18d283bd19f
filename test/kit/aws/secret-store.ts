/** Secrets, their versions, and the versions' staging labels. */
import { randomBytes } from 'node:crypto';
import { AwsError } from './aws-error.ts';

export type SecretValue = { readonly SecretString: string } | { readonly SecretBinary: string };
export type Version = { readonly id: string; readonly value: SecretValue; readonly createdAt: number };

/** Times are in seconds since the epoch. */
export type Secret = {
  readonly name: string;
  readonly arn: string;
  /** Increases with every new secret. Lists are sorted by this number. */
  readonly order: number;
  readonly createdAt: number;
  changedAt: number;
  description?: string | undefined;
  kmsKeyId?: string | undefined;
  /** When the secret will be deleted. Set only while deletion is scheduled. */
  deletionAt?: number | undefined;
  /** Whether reads of the value are denied. */
  denied: boolean;
  readonly tags: Map<string, string>;
  readonly versions: Map<string, Version>;
  /** Label → version id. A label is attached to at most one version. */
  readonly stages: Map<string, string>;
};

export const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

export type SecretStore = ReturnType<typeof secretStore>;

export function secretStore(arnPrefix: string, now: () => number) {
  const secrets = new Map<string, Secret>();
  let created = 0;

  /** Returns every secret, oldest first, except those whose deletion is due. */
  function all(): Secret[] {
    for (const { name, deletionAt } of secrets.values())
      if (deletionAt !== undefined && deletionAt <= now()) secrets.delete(name);
    return [...secrets.values()];
  }

  /** Finds a secret by name, ARN, or ARN without the six random characters. */
  const lookUp = (id: string): Secret | undefined =>
    all().find(({ name, arn }) => id === name || id === arn || id === arn.slice(0, -7));

  function find(id: string): Secret {
    const secret = lookUp(id);
    if (!secret) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  }

  function create(name: string): Secret {
    created += 1;
    const arn = `${arnPrefix}${name}-${sixCharacters()}`;
    const times = { createdAt: now(), changedAt: now() };
    const empty = { denied: false, tags: new Map(), versions: new Map(), stages: new Map() };
    const secret: Secret = { name, arn, order: created, ...times, ...empty };
    secrets.set(name, secret);
    return secret;
  }

  return { all, lookUp, find, create, remove: ({ name }: Secret): boolean => secrets.delete(name) };
}

/** AWS appends six random characters to the name, so a new secret with an old name has a different ARN. */
const sixCharacters = (): string => randomBytes(3).toString('hex');

export const stagesOf = ({ stages }: Secret, versionId: string): string[] =>
  [...stages].filter(([, id]) => id === versionId).map(([stage]) => stage);

/** Returns labels by version id. As in AWS, versions without a label are skipped. */
export const stagesByVersion = (secret: Secret): Record<string, string[]> =>
  Object.fromEntries([...new Set(secret.stages.values())].map((id) => [id, stagesOf(secret, id)]));

/** Moves a label to a version. The version that loses AWSCURRENT becomes AWSPREVIOUS. */
export function attach({ stages }: Secret, stage: string, versionId: string): void {
  const from = stages.get(stage);
  stages.set(stage, versionId);
  if (stage === CURRENT && from !== undefined && from !== versionId) stages.set(PREVIOUS, from);
}

/** Adds a version. If the id exists, the same value changes nothing and a different value is refused. */
export function addVersion(secret: Secret, version: Version, stages: readonly string[]): void {
  const known = secret.versions.get(version.id);
  if (known && sameValue(known.value, version.value)) return;
  if (known)
    throw new AwsError(
      'ResourceExistsException',
      "You can't change a version: ClientRequestToken names another value.",
    );
  const first = secret.versions.size === 0;
  secret.versions.set(version.id, version);
  secret.changedAt = version.createdAt;
  for (const stage of first ? [...stages, CURRENT] : stages) attach(secret, stage, version.id);
}

const sameValue = (left: SecretValue, right: SecretValue): boolean => JSON.stringify(left) === JSON.stringify(right);

/** Returns the version with the given id, label or both. Default: AWSCURRENT. */
export function findVersion(secret: Secret, wanted: { id?: string | undefined; stage?: string | undefined }): Version {
  const stage = wanted.stage ?? (wanted.id === undefined ? CURRENT : undefined);
  const staged = stage === undefined ? undefined : secret.stages.get(stage);
  if (wanted.id !== undefined && stage !== undefined && staged !== wanted.id)
    throw new AwsError('InvalidRequestException', 'VersionStage is not attached to the version of VersionId.');
  const version = secret.versions.get(wanted.id ?? staged ?? '');
  if (version) return version;
  const which = wanted.id === undefined ? `staging label: ${stage}` : `VersionId: ${wanted.id}`;
  throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${which}`);
}

/** The response for most actions. */
export const nameOf = ({ arn, name }: Secret) => ({ ARN: arn, Name: name });

/** Returns the secret. Throws if the secret is scheduled for deletion. */
export function unmarked(secret: Secret): Secret {
  if (secret.deletionAt === undefined) return secret;
  throw new AwsError('InvalidRequestException', 'The secret was marked for deletion: restore it first.');
}
