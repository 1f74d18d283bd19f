import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  type Filter,
  GetSecretValueCommand,
  ListSecretsCommand,
  type ListSecretsCommandInput,
  PutSecretValueCommand,
  paginateListSecrets,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

const SecretId = 'flashblade/fb1';
const FIRST = '11111111-1111-4111-8111-111111111111';
const SECOND = '22222222-2222-4222-8222-222222222222';
const THIRD = '33333333-3333-4333-8333-333333333333';

/** A secret whose version FIRST has the value `first`, and calls that use this secret. */
async function withSecret() {
  const { aws, secrets } = await awsWithClients();
  const create = (SecretString: string, ClientRequestToken?: string, input: Partial<CreateSecretCommandInput> = {}) =>
    secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString, ClientRequestToken, ...input }));
  const { ARN } = await create('first', FIRST);
  return {
    ...{ aws, secrets, ARN, create },
    read: (id = SecretId) => secrets.send(new GetSecretValueCommand({ SecretId: id })),
    put: (SecretString: string, ClientRequestToken: string) =>
      secrets.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken })),
  };
}

describe('a secret', () => {
  test('is read by its name, with its version', async () => {
    const { read, ARN } = await withSecret();
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:flashblade\/fb1-[A-Za-z0-9]{6}$/);
    const version = { SecretString: 'first', VersionId: FIRST, VersionStages: ['AWSCURRENT'] };
    expect(await read()).toMatchObject({ ARN, Name: SecretId, ...version });
    await expect(read('flashblade/unknown')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('is created once, even if the request is repeated, and never replaced by another one', async () => {
    const { create, ARN } = await withSecret();
    await expect(create('first', FIRST)).resolves.toMatchObject({ ARN, VersionId: FIRST });
    await expect(create('other', FIRST)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(create('first')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test.each(['with space', 'ü', '', 'x'.repeat(513)])('is refused if its name is "%s"', async (Name) => {
    const { create } = await withSecret();
    await expect(create('v', FIRST, { Name })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('has tags from its creation, which can be added and replaced', async () => {
    const { aws, secrets, create } = await withSecret();
    const tag = (Key: string, Value: string) => ({ Key, Value });
    await create('v', SECOND, { Name: 'tagged', Tags: [tag('site', 'a'), tag('tier', '1')] });
    await secrets.send(new TagResourceCommand({ SecretId: 'tagged', Tags: [tag('site', 'b'), tag('rack', '7')] }));
    expect(aws.secrets.find('tagged').tags).toEqual({ site: 'b', tier: '1', rack: '7' });
  });

  test('is created by the helper, which then adds versions, and stores objects as JSON', async () => {
    const { aws, read } = await withSecret();
    const versionId = aws.secrets.put('flashblade/fb2', { host: 'fb2.example.com' });
    expect(await read('flashblade/fb2')).toMatchObject({
      SecretString: '{"host":"fb2.example.com"}',
      VersionId: versionId,
    });
    aws.secrets.put('flashblade/fb2', 'plain');
    expect(await read('flashblade/fb2')).toMatchObject({ SecretString: 'plain' });
    expect(aws.calls.map(({ action }) => action)).toEqual(['CreateSecret', 'GetSecretValue', 'GetSecretValue']);
  });
});

describe('a version', () => {
  test('is current as soon as it is written, and older ones are kept', async () => {
    const { aws, put, read } = await withSecret();
    expect(await put('second', SECOND)).toMatchObject({ VersionId: SECOND });
    expect([...aws.secrets.find(SecretId).versions]).toEqual([
      [FIRST, 'first'],
      [SECOND, 'second'],
    ]);
    await put('third', THIRD);
    expect([...aws.secrets.find(SecretId).versions.keys()]).toEqual([FIRST, SECOND, THIRD]);
    expect(await read()).toMatchObject({ SecretString: 'third' });
  });

  test('is stored once under its id, and another value under this id is refused', async () => {
    const { aws, put, read } = await withSecret();
    await put('second', SECOND);
    await put('third', THIRD);
    await put('second', SECOND);
    expect([...aws.secrets.find(SecretId).versions.keys()]).toEqual([FIRST, SECOND, THIRD]);
    await expect(put('other', THIRD)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await read()).toMatchObject({ SecretString: 'third' });
  });
});

describe('a list', () => {
  /** Secrets `flashblade/fb01` … and two secrets that belong to no array. */
  async function withFleet(count: number) {
    const { aws, secrets } = await awsWithClients();
    const names = Array.from({ length: count }, (_, index) => `flashblade/fb${String(index + 1).padStart(2, '0')}`);
    for (const name of ['other/x', ...names, 'Flashblade/fb1']) aws.secrets.put(name, 'T-very-secret');
    const list = async (input: ListSecretsCommandInput = {}) =>
      (await secrets.send(new ListSecretsCommand(input))).SecretList?.map(({ Name }) => Name);
    return { secrets, names, list };
  }
  const named = (...Values: string[]): Filter[] => [{ Key: 'name', Values }];

  test('has the secrets whose name begins with one of the values of each filter', async () => {
    const { list, names } = await withFleet(3);
    expect(await list()).toEqual(['other/x', ...names, 'Flashblade/fb1']);
    expect(await list({ Filters: named('flashblade/') })).toEqual(names);
    expect(await list({ Filters: named('flashblade/', 'other/') })).toEqual(['other/x', ...names]);
    expect(await list({ Filters: [...named('flashblade/'), ...named('flashblade/fb02')] })).toEqual([names[1]]);
  });

  test('has pages of the requested size, at most a hundred, which have every secret once and no value', async () => {
    const { secrets, names } = await withFleet(205);
    for (const [size, sizes] of [
      [{}, [100, 100, 5]],
      [{ pageSize: 90 }, [90, 90, 25]],
    ] as const) {
      const pages: string[][] = [];
      for await (const page of paginateListSecrets({ client: secrets, ...size }, { Filters: named('flashblade/') })) {
        pages.push((page.SecretList ?? []).map(({ Name = '' }) => Name));
        expect(JSON.stringify(page)).not.toContain('T-very-secret');
      }
      expect(pages.map(({ length }) => length)).toEqual(sizes);
      expect(pages.flat()).toEqual(names);
    }
  });

  test.each([
    ['an invalid token', { NextToken: 'made-up' }],
    ['too large a page', { MaxResults: 101 }],
    ['an empty page', { MaxResults: 0 }],
    ['another filter', { Filters: [{ Key: 'tag-key', Values: ['x'] }] satisfies Filter[] }],
  ])('with %s is refused', async (_what, input) => {
    const { list } = await withFleet(1);
    await expect(list(input)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
