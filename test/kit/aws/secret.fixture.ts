/** For tests: one secret with a known version, and calls that use this secret. */
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { awsWithClients } from './clients.ts';

export const SecretId = 'flashblade/fb1';
export const FIRST = '11111111-1111-4111-8111-111111111111';
export const SECOND = '22222222-2222-4222-8222-222222222222';
export const THIRD = '33333333-3333-4333-8333-333333333333';

/** Creates a clock that moves only when set, and a secret whose version FIRST has the value `first`. */
export async function withSecret() {
  const clock = { now: 1_800_000_000 };
  const { aws, secrets, kms } = await awsWithClients({ now: () => clock.now });
  const create = new CreateSecretCommand({ Name: SecretId, SecretString: 'first', ClientRequestToken: FIRST });
  const { ARN = '' } = await secrets.send(create);
  return {
    ...{ aws, secrets, kms, clock, ARN },
    read: (input: Partial<GetSecretValueCommand['input']> = {}) =>
      secrets.send(new GetSecretValueCommand({ SecretId, ...input })),
    put: (SecretString: string, ClientRequestToken: string, VersionStages?: string[]) =>
      secrets.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages })),
    move: (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
      secrets.send(
        new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }),
      ),
    update: (input: Partial<UpdateSecretCommand['input']>) =>
      secrets.send(new UpdateSecretCommand({ SecretId, ...input })),
    stages: async () => (await secrets.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages,
  };
}
