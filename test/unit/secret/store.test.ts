import { expect, test } from 'vitest';
import { storeOf } from '../../../scripts/secret/store.ts';
import { FIRST, SECOND, THIRD, withSecret } from '../../kit/aws/secret.fixture.ts';

const value = { name: 'fb2', text: '{}', kmsKey: undefined };

test('a repeated write has the same version, for a new secret and for an existing one', async () => {
  const { secrets, read } = await withSecret();
  const store = storeOf(secrets, 'flashblade/');
  for (const [exists, attemptId] of [
    [false, FIRST],
    [true, SECOND],
  ] as const) {
    const first = await store.write({ ...value, exists, attemptId });
    expect(first).toEqual({ versionId: attemptId, tagged: true });
    expect(await store.write({ ...value, exists, attemptId })).toEqual(first);
  }
  expect(await read({ SecretId: 'flashblade/fb2' })).toMatchObject({ VersionId: SECOND });
});

test('a write with the attempt id of another write does not change its value', async () => {
  const { secrets, read } = await withSecret();
  const store = storeOf(secrets, 'flashblade/');
  await store.write({ ...value, exists: false, attemptId: THIRD });
  const other = store.write({ ...value, text: '{"host":""}', exists: true, attemptId: THIRD });
  await expect(other).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  expect(await read({ SecretId: 'flashblade/fb2' })).toMatchObject({ SecretString: '{}' });
});
