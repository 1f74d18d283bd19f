import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  RestoreSecretCommand,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { FIRST, SECOND, SecretId, withSecret } from '../../../kit/aws/secret.fixture.ts';

describe('creation', () => {
  test('repeating the same CreateSecret succeeds, but a different secret with the same name is refused', async () => {
    const { secrets, ARN } = await withSecret();
    const create = (SecretString: string, ClientRequestToken?: string) =>
      secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString, ClientRequestToken }));
    await expect(create('first', FIRST)).resolves.toMatchObject({ ARN, VersionId: FIRST });
    await expect(create('other', FIRST)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(create('first')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test.each(['with space', 'ü', '', 'x'.repeat(513)])('the name "%s" is refused', async (Name) => {
    const { secrets } = await withSecret();
    await expect(secrets.send(new CreateSecretCommand({ Name, SecretString: 'v' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('a value is either a string or bytes', async () => {
    const { update } = await withSecret();
    await expect(update({ SecretString: 'x', SecretBinary: new Uint8Array(1) })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('tags can be set at creation, added and replaced', async () => {
    const { secrets } = await withSecret();
    const tag = (Key: string, Value: string) => ({ Key, Value });
    await secrets.send(new CreateSecretCommand({ Name: 'tagged', Tags: [tag('site', 'a'), tag('tier', '1')] }));
    await secrets.send(new TagResourceCommand({ SecretId: 'tagged', Tags: [tag('site', 'b'), tag('rack', '7')] }));
    const { Tags } = await secrets.send(new DescribeSecretCommand({ SecretId: 'tagged' }));
    expect(Tags).toEqual([tag('site', 'b'), tag('tier', '1'), tag('rack', '7')]);
  });

  test('the helper creates a secret, then new versions, and stores objects as JSON', async () => {
    const { aws, read } = await withSecret();
    const first = aws.secrets.put('flashblade/fb2', { host: 'fb2.example.com' });
    const second = aws.secrets.put('flashblade/fb2', 'plain');
    expect(await read({ SecretId: 'flashblade/fb2', VersionId: first })).toMatchObject({
      SecretString: '{"host":"fb2.example.com"}',
      VersionStages: ['AWSPREVIOUS'],
    });
    expect(await read({ SecretId: 'flashblade/fb2' })).toMatchObject({ SecretString: 'plain', VersionId: second });
    expect(aws.calls.map(({ action }) => action)).toEqual(['CreateSecret', 'GetSecretValue', 'GetSecretValue']);
  });
});

describe('deletion', () => {
  test('a secret that is scheduled for deletion cannot be read or written until it is restored', async () => {
    const { secrets, read, put, update, move, ARN } = await withSecret();
    const { DeletionDate } = await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    expect(DeletionDate).toEqual(new Date('2027-01-22T08:00:00Z'));
    const create = () => secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'x' }));
    const remove = () => secrets.send(new DeleteSecretCommand({ SecretId }));
    const tag = () => secrets.send(new TagResourceCommand({ SecretId, Tags: [] }));
    const refused = [read, () => put('x', SECOND), () => update({}), () => move('X', FIRST), create, remove, tag];
    for (const call of refused) await expect(call()).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect(await secrets.send(new DescribeSecretCommand({ SecretId }))).toMatchObject({ DeletedDate: DeletionDate });

    await secrets.send(new RestoreSecretCommand({ SecretId }));
    expect(await read()).toMatchObject({ SecretString: 'first', ARN });
    expect((await secrets.send(new DescribeSecretCommand({ SecretId }))).DeletedDate).toBeUndefined();
  });

  test('a secret is deleted when its recovery window ends, 30 days by default', async () => {
    const { secrets, read, clock } = await withSecret();
    await secrets.send(new DeleteSecretCommand({ SecretId }));
    clock.now += 30 * 86_400 - 1;
    await expect(read()).rejects.toMatchObject({ name: 'InvalidRequestException' });
    clock.now += 1;
    await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('without recovery a secret is deleted at once, and a new secret with its name gets another ARN', async () => {
    const { secrets, read, ARN } = await withSecret();
    const remove = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
    await secrets.send(remove);
    await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(secrets.send(remove)).resolves.toBeDefined();
    const again = await secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'again' }));
    expect(again.ARN).not.toBe(ARN);
  });

  test.each([
    ['too short a window', { RecoveryWindowInDays: 6 }],
    ['too long a window', { RecoveryWindowInDays: 31 }],
    ['a window and no recovery', { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }],
  ])('%s is refused', async (_what, input) => {
    const { secrets, read } = await withSecret();
    await expect(secrets.send(new DeleteSecretCommand({ SecretId, ...input }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await expect(read()).resolves.toBeDefined();
  });
});
