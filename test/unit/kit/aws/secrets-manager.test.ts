import { CreateSecretCommand, DescribeSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { FIRST, SECOND, SecretId, THIRD, withSecret } from '../../../kit/aws/secret.fixture.ts';

describe('reading', () => {
  test('a secret can be read by name, by ARN, and by ARN without the six random characters', async () => {
    const { read, ARN } = await withSecret();
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:flashblade\/fb1-[A-Za-z0-9]{6}$/);
    for (const id of [SecretId, ARN, ARN.slice(0, -7)])
      expect(await read({ SecretId: id })).toMatchObject({
        ARN,
        Name: SecretId,
        SecretString: 'first',
        VersionId: FIRST,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: new Date('2027-01-15T08:00:00Z'),
      });
  });

  test('an older version can be read by its id or label, and both must match', async () => {
    const { read, put } = await withSecret();
    await put('second', SECOND);
    await expect(read({ VersionId: FIRST })).resolves.toMatchObject({ SecretString: 'first' });
    await expect(read({ VersionStage: 'AWSPREVIOUS' })).resolves.toMatchObject({ SecretString: 'first' });
    await expect(read({ VersionId: FIRST, VersionStage: 'AWSPREVIOUS' })).resolves.toMatchObject({ VersionId: FIRST });
    await expect(read({ VersionId: FIRST, VersionStage: 'AWSCURRENT' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test.each([
    ['secret', { SecretId: 'flashblade/unknown' }],
    ['version', { VersionId: THIRD }],
    ['label', { VersionStage: 'AWSPENDING' }],
  ])('an unknown %s is reported as not found', async (_what, input) => {
    const { read } = await withSecret();
    await expect(read(input)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('binary values are returned as bytes', async () => {
    const { secrets, read } = await withSecret();
    const SecretBinary = new Uint8Array([0, 1, 255]);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretBinary }));
    expect(await read()).toMatchObject({ SecretBinary });
  });

  test('reading a secret without a value fails', async () => {
    const { secrets, read } = await withSecret();
    expect((await secrets.send(new CreateSecretCommand({ Name: 'empty' }))).VersionId).toBeUndefined();
    await expect(read({ SecretId: 'empty' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a denied secret cannot be read until the denial is revoked', async () => {
    const { aws, read } = await withSecret();
    aws.secrets.deny(SecretId);
    await expect(read()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    aws.secrets.deny(SecretId, false);
    await expect(read()).resolves.toMatchObject({ SecretString: 'first' });
  });

  test('a secret with a disabled KMS key can be neither read nor written', async () => {
    const { aws, secrets, read } = await withSecret();
    const { keyId } = aws.kms.createKey('alias/secrets');
    const create = (Name: string) =>
      secrets.send(new CreateSecretCommand({ Name, SecretString: 'value', KmsKeyId: 'alias/secrets' }));
    await create('own-key');
    await expect(read({ SecretId: 'own-key' })).resolves.toMatchObject({ SecretString: 'value' });

    aws.kms.setEnabled(keyId, false);
    await expect(read({ SecretId: 'own-key' })).rejects.toMatchObject({ name: 'DecryptionFailure' });
    await expect(create('another')).rejects.toMatchObject({ name: 'EncryptionFailure' });
    const put = new PutSecretValueCommand({ SecretId: 'own-key', SecretString: 'new' });
    await expect(secrets.send(put)).rejects.toMatchObject({ name: 'EncryptionFailure' });
  });
});

describe('versions', () => {
  test('a new value becomes AWSCURRENT, the one before it AWSPREVIOUS, and older ones lose their label', async () => {
    const { put, read, stages } = await withSecret();
    expect(await put('second', SECOND)).toMatchObject({ VersionId: SECOND, VersionStages: ['AWSCURRENT'] });
    expect(await stages()).toEqual({ [SECOND]: ['AWSCURRENT'], [FIRST]: ['AWSPREVIOUS'] });
    await put('third', THIRD);
    expect(await stages()).toEqual({ [THIRD]: ['AWSCURRENT'], [SECOND]: ['AWSPREVIOUS'] });
    expect(await read()).toMatchObject({ SecretString: 'third' });
  });

  test('a rotation writes AWSPENDING, makes it AWSCURRENT, and can be reverted', async () => {
    const { put, read, move, stages } = await withSecret();
    await put('second', SECOND, ['AWSPENDING']);
    expect(await read()).toMatchObject({ SecretString: 'first' });
    expect(await read({ VersionStage: 'AWSPENDING' })).toMatchObject({ SecretString: 'second' });

    await move('AWSCURRENT', FIRST, SECOND);
    expect(await stages()).toEqual({ [SECOND]: ['AWSCURRENT', 'AWSPENDING'], [FIRST]: ['AWSPREVIOUS'] });
    await move('AWSPENDING', SECOND);
    await move('AWSCURRENT', SECOND, FIRST);
    expect(await stages()).toEqual({ [FIRST]: ['AWSCURRENT'], [SECOND]: ['AWSPREVIOUS'] });
    expect(await read()).toMatchObject({ SecretString: 'first' });
  });

  test.each([
    ['AWSCURRENT moves without naming the version that has it', ['AWSCURRENT', undefined, SECOND], 'InvalidParameter'],
    ['AWSCURRENT moves from a version that does not have it', ['AWSCURRENT', SECOND, SECOND], 'InvalidParameter'],
    ['AWSPENDING is taken from a version that does not have it', ['AWSPENDING', FIRST, FIRST], 'InvalidParameter'],
    ['AWSCURRENT is removed', ['AWSCURRENT', FIRST], 'InvalidParameter'],
    ['neither version is named', ['CUSTOM'], 'InvalidParameter'],
    ['the version to move to is unknown', ['AWSCURRENT', FIRST, THIRD], 'ResourceNotFound'],
  ] as const)('no label changes when %s', async (_what, [stage, from, to], name) => {
    const { put, move, stages } = await withSecret();
    await put('second', SECOND, ['AWSPENDING']);
    await expect(move(stage, from, to)).rejects.toMatchObject({ name: `${name}Exception` });
    expect(await stages()).toEqual({ [FIRST]: ['AWSCURRENT'], [SECOND]: ['AWSPENDING'] });
  });

  test('the same value under the same version id is stored once, and another value is refused', async () => {
    const { put, read, stages } = await withSecret();
    await put('second', SECOND);
    await put('third', THIRD);
    await put('second', SECOND);
    expect(await stages()).toEqual({ [THIRD]: ['AWSCURRENT'], [SECOND]: ['AWSPREVIOUS'] });
    await expect(put('other', SECOND)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await read({ VersionId: SECOND })).toMatchObject({ SecretString: 'second' });
  });

  test('the first version of a secret is AWSCURRENT, regardless of its requested labels', async () => {
    const { secrets, read } = await withSecret();
    await secrets.send(new CreateSecretCommand({ Name: 'empty' }));
    const put = { SecretId: 'empty', SecretString: 'value', VersionStages: ['AWSPENDING'] };
    await secrets.send(new PutSecretValueCommand(put));
    expect(await read({ SecretId: 'empty' })).toMatchObject({ SecretString: 'value' });
  });

  test('an update changes the value, the description and the key, and nothing that it does not name', async () => {
    const { aws, secrets, update, stages, clock } = await withSecret();
    const { arn } = aws.kms.createKey();
    clock.now += 60;
    await update({ SecretString: 'second', ClientRequestToken: SECOND, Description: 'one array', KmsKeyId: arn });
    await update({});
    expect(await stages()).toEqual({ [SECOND]: ['AWSCURRENT'], [FIRST]: ['AWSPREVIOUS'] });
    expect(await secrets.send(new DescribeSecretCommand({ SecretId }))).toMatchObject({
      Description: 'one array',
      KmsKeyId: arn,
      CreatedDate: new Date('2027-01-15T08:00:00Z'),
      LastChangedDate: new Date('2027-01-15T08:01:00Z'),
    });
    await expect(update({ SecretString: 'second', ClientRequestToken: SECOND })).rejects.toMatchObject({
      name: 'ResourceExistsException',
    });
  });
});
