import {
  BatchGetSecretValueCommand,
  type BatchGetSecretValueCommandInput,
  CreateSecretCommand,
  DeleteSecretCommand,
  type Filter,
  ListSecretsCommand,
  type ListSecretsCommandInput,
  paginateListSecrets,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

/** Secrets `flashblade/fb01` … whose value is their name, and two secrets that belong to no array. */
async function withFleet(count: number) {
  const { aws, secrets } = await awsWithClients();
  const names = Array.from({ length: count }, (_, index) => `flashblade/fb${String(index + 1).padStart(2, '0')}`);
  for (const name of ['other/x', ...names, 'Flashblade/fb1']) aws.secrets.put(name, name);
  return {
    ...{ aws, secrets, names },
    list: async (input: ListSecretsCommandInput = {}) =>
      (await secrets.send(new ListSecretsCommand(input))).SecretList?.map(({ Name }) => Name),
    batch: (input: BatchGetSecretValueCommandInput) => secrets.send(new BatchGetSecretValueCommand(input)),
  };
}
const named = (...Values: string[]): Filter[] => [{ Key: 'name', Values }];

describe('lists', () => {
  test('a case-sensitive prefix of the name selects the fleet', async () => {
    const { list, names } = await withFleet(3);
    expect(await list({ Filters: named('flashblade/') })).toEqual(names);
    expect(await list({ Filters: named('flashblade/', 'other/') })).toEqual(['other/x', ...names]);
    expect(await list({ Filters: named('!flashblade/') })).toEqual(['other/x', 'Flashblade/fb1']);
    expect(await list({ Filters: [...named('flashblade/'), ...named('!flashblade/fb02')] })).toEqual([
      'flashblade/fb01',
      'flashblade/fb03',
    ]);
    expect(await list({ SortOrder: 'desc', Filters: named('flashblade/') })).toEqual(names.toReversed());
  });

  test('tags and the description select secrets, too', async () => {
    const { secrets, list } = await withFleet(1);
    const Tags = [{ Key: 'site', Value: 'berlin' }];
    await secrets.send(new CreateSecretCommand({ Name: 'tagged', Tags, Description: 'The spare array' }));
    const keys = ['tag-key', 'tag-value', 'description'] as const;
    for (const [index, value] of ['si', 'berl', 'the SPARE'].entries())
      expect(await list({ Filters: [{ Key: keys[index], Values: [value] }] })).toEqual(['tagged']);
    expect(await list({ Filters: [{ Key: 'tag-value', Values: ['Berlin'] }] })).toEqual([]);
  });

  test('pages have the requested size and together list every secret once, even if one disappears in between', async () => {
    const { secrets, names } = await withFleet(7);
    const sizes: number[] = [];
    const seen: unknown[] = [];
    const pages = paginateListSecrets({ client: secrets, pageSize: 3 }, { Filters: named('flashblade/') });
    for await (const { SecretList = [] } of pages) {
      if (sizes.length === 0)
        await secrets.send(new DeleteSecretCommand({ SecretId: names[0], ForceDeleteWithoutRecovery: true }));
      sizes.push(SecretList.length);
      seen.push(...SecretList.map(({ Name }) => Name));
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(seen).toEqual(names);
  });

  test('a hundred secrets fit on one page, and the last page has no token', async () => {
    const { secrets } = await withFleet(98);
    const full = await secrets.send(new ListSecretsCommand());
    expect([full.SecretList?.length, full.NextToken]).toEqual([100, undefined]);
    await secrets.send(new CreateSecretCommand({ Name: 'one-more' }));
    const first = await secrets.send(new ListSecretsCommand());
    expect(first.SecretList).toHaveLength(100);
    const { NextToken } = first;
    expect((await secrets.send(new ListSecretsCommand({ NextToken }))).SecretList).toMatchObject([
      { Name: 'one-more' },
    ]);
  });

  test('secrets scheduled for deletion are listed only on request', async () => {
    const { secrets, list } = await withFleet(2);
    await secrets.send(new DeleteSecretCommand({ SecretId: 'flashblade/fb01' }));
    const Filters = named('flashblade/');
    expect(await list({ Filters })).toEqual(['flashblade/fb02']);
    expect(await list({ Filters, IncludePlannedDeletion: true })).toEqual(['flashblade/fb01', 'flashblade/fb02']);
  });

  test('a list shows labels but never a value', async () => {
    const { aws, secrets } = await withFleet(0);
    const VersionId = aws.secrets.put('flashblade/secret', 'T-very-secret');
    const answer = await secrets.send(new ListSecretsCommand({ Filters: named('flashblade/') }));
    expect(answer.SecretList?.[0]?.SecretVersionsToStages).toEqual({ [VersionId]: ['AWSCURRENT'] });
    expect(JSON.stringify(answer)).not.toContain('T-very-secret');
  });

  test('an invalid token and a page size out of range are refused', async () => {
    const { list } = await withFleet(1);
    await expect(list({ NextToken: 'made-up' })).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
    await expect(list({ MaxResults: 101 })).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(list({ MaxResults: 0 })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('batches', () => {
  test('a list of names and ARNs returns their values, and an error for each secret that cannot be read', async () => {
    const { aws, secrets, batch } = await withFleet(4);
    const { keyId } = aws.kms.createKey('alias/secrets');
    const own = { Name: 'own-key', SecretString: 'value', KmsKeyId: 'alias/secrets' };
    const { ARN = '' } = await secrets.send(new CreateSecretCommand(own));
    await secrets.send(new DeleteSecretCommand({ SecretId: 'flashblade/fb02' }));
    aws.secrets.deny('flashblade/fb03');
    aws.kms.setEnabled(keyId, false);

    const SecretIdList = ['flashblade/fb01', 'flashblade/fb02', 'flashblade/fb03', 'unknown', ARN, 'flashblade/fb04'];
    const { SecretValues, Errors } = await batch({ SecretIdList });
    expect(SecretValues?.map(({ Name, SecretString }) => [Name, SecretString])).toEqual([
      ['flashblade/fb01', 'flashblade/fb01'],
      ['flashblade/fb04', 'flashblade/fb04'],
    ]);
    expect(Errors?.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode])).toEqual([
      ['flashblade/fb02', 'InvalidRequestException'],
      ['flashblade/fb03', 'AccessDeniedException'],
      ['unknown', 'ResourceNotFoundException'],
      [ARN, 'DecryptionFailure'],
    ]);
  });

  test('a filter returns the fleet in pages of twenty, or fewer on request', async () => {
    const { batch, names } = await withFleet(45);
    const valuesBy = async (MaxResults?: number) => {
      const pages: unknown[][] = [];
      let NextToken: string | undefined;
      do {
        const answer = await batch({ Filters: named('flashblade/'), MaxResults, NextToken });
        pages.push(answer.SecretValues?.map(({ SecretString }) => SecretString) ?? []);
        NextToken = answer.NextToken;
      } while (NextToken);
      return pages;
    };
    expect(await valuesBy()).toEqual([names.slice(0, 20), names.slice(20, 40), names.slice(40)]);
    expect((await valuesBy(15)).map(({ length }) => length)).toEqual([15, 15, 15]);
  });

  test('a filter skips secrets scheduled for deletion without an error', async () => {
    const { secrets, batch } = await withFleet(2);
    await secrets.send(new DeleteSecretCommand({ SecretId: 'flashblade/fb01' }));
    const { SecretValues, Errors } = await batch({ Filters: named('flashblade/') });
    expect(SecretValues?.map(({ Name }) => Name)).toEqual(['flashblade/fb02']);
    expect(Errors).toEqual([]);
  });

  test.each([
    ['neither names nor filters', {}],
    ['names and filters', { SecretIdList: ['a'], Filters: named('a') }],
    ['more than twenty names', { SecretIdList: Array.from({ length: 21 }, (_, index) => `a${index}`) }],
    ['a page size for names', { SecretIdList: ['a'], MaxResults: 5 }],
    ['pages of more than twenty', { Filters: named('a'), MaxResults: 21 }],
  ])('%s are refused', async (_what, input) => {
    const { batch } = await withFleet(1);
    await expect(batch(input)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
