import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { storeOf } from '../../../scripts/secret/store.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';

const FIRST = '11111111-1111-4111-8111-111111111111';
const SECOND = '22222222-2222-4222-8222-222222222222';
const value = { name: 'fb2', text: '{}', kmsKey: undefined };

async function withStore() {
  const { secrets } = await awsWithClients();
  const read = () => secrets.send(new GetSecretValueCommand({ SecretId: 'flashblade/fb2' }));
  return { read, store: storeOf(secrets, 'flashblade/') };
}

test('a repeated write has the same version, for a new secret and for an existing one', async () => {
  const { store, read } = await withStore();
  for (const [exists, attemptId] of [
    [false, FIRST],
    [true, SECOND],
  ] as const) {
    const first = await store.write({ ...value, exists, attemptId });
    expect(first).toEqual({ versionId: attemptId, tagged: true });
    expect(await store.write({ ...value, exists, attemptId })).toEqual(first);
  }
  expect(await read()).toMatchObject({ VersionId: SECOND });
});

test('a write with the attempt id of another write does not change its value', async () => {
  const { store, read } = await withStore();
  await store.write({ ...value, exists: false, attemptId: FIRST });
  const other = store.write({ ...value, text: '{"host":""}', exists: true, attemptId: FIRST });
  await expect(other).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  expect(await read()).toMatchObject({ SecretString: '{}' });
});
