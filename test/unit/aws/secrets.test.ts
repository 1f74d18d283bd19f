import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { createSecrets } from '../../../lib/aws/secrets.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { noPatience, patience } from './patience.ts';

const TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const SECRET = { host: 'fb1.example.com', apiToken: TOKEN };
const soon = (): number => Date.now() + 60_000;
patience();

async function fleet(options: { cacheSeconds?: number } = {}) {
  const { aws, secrets: client } = await awsWithClients();
  const stale: string[] = [];
  let nowMs = 1_800_000_000_000;
  const secrets = createSecrets({
    client,
    prefix: 'flashblade/',
    cacheSeconds: options.cacheSeconds ?? 300,
    now: () => nowMs,
    onStale: (name) => stale.push(name),
  });
  const reads = () => aws.calls.filter(({ action }) => action === 'GetSecretValue').length;
  const pass = (seconds: number) => {
    nowMs += seconds * 1000;
  };
  return { aws, secrets, stale, reads, pass };
}

describe("reading an array's secret", () => {
  it('returns the array, its API token and the version id', async () => {
    const { aws, secrets } = await fleet();
    const versionId = aws.secrets.put('flashblade/fb1', { ...SECRET, host: 'fb1.example.com:8443' });
    const secret = await secrets.read('fb1', { by: soon() });
    expect(secret.array).toEqual({ name: 'fb1', host: 'fb1.example.com', port: 8443, trust: { kind: 'public' } });
    expect(secret.apiToken.reveal()).toBe(TOKEN);
    expect(secret.versionId).toBe(versionId);
    expect(JSON.stringify(secret)).not.toContain(TOKEN);
  });

  it('calls Secrets Manager once per 300 seconds, and once for concurrent reads', async () => {
    const { aws, secrets, reads, pass } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    await Promise.all([1, 2, 3].map(() => secrets.read('fb1', { by: soon() })));
    pass(299);
    await secrets.read('fb1', { by: soon() });
    expect(reads()).toBe(1);
    pass(1);
    await secrets.read('fb1', { by: soon() });
    expect(reads()).toBe(2);
  });

  it('shares a call among reads with different deadlines, but never joins a call that has less time', async () => {
    const { aws, secrets, reads } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    const longer = [soon(), soon() + 1, soon() + 5000];
    await Promise.all([Date.now() + 1500, ...longer].map((by) => secrets.read('fb1', { by })));
    expect(reads()).toBe(2);
  });

  it('bypasses the cache if the secret must be fresh', async () => {
    const { aws, secrets } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    await secrets.read('fb1', { by: soon() });
    const newer = aws.secrets.put('flashblade/fb1', { ...SECRET, apiToken: 'T-new' });
    expect((await secrets.read('fb1', { by: soon(), fresh: true })).versionId).toBe(newer);
    expect((await secrets.read('fb1', { by: soon() })).versionId).toBe(newer);
  });

  it('names the secret to create if it is missing', async () => {
    const { secrets } = await fleet();
    const call = secrets.read('fb9', { by: soon() });
    await expect(call).rejects.toMatchObject({
      code: 'ARRAY_UNKNOWN',
      facts: { secretDeleted: true },
      message:
        'secret flashblade/fb9 does not exist or has no current version. Create the secret, or correct the array name',
    });
  });

  it('does not treat a secret without a current version as deleted', async () => {
    const { aws, secrets } = await fleet();
    const Message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    const answer = {
      status: 400,
      headers: { 'Content-Type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ __type: 'ResourceNotFoundException', Message }),
    };
    aws.faults.add({ service: 'secretsmanager', kind: 'answer', answer });
    const error = await secrets.read('fb1', { by: soon() }).catch((thrown) => thrown);
    expect([error.code, error.facts]).toEqual(['ARRAY_UNKNOWN', {}]);
  });

  it.each([
    ['throttle', {}, {}],
    ['deny', {}, { denied: true }],
    ['reset', {}, {}],
    ['garbage', {}, {}],
    ['error', { name: 'DecryptionFailure', status: 400 }, { denied: true }],
    ['error', { name: 'InternalServiceError', status: 500 }, {}],
    ['error', { name: 'UnrecognizedClientException', status: 400 }, {}],
  ] as const)('throws SECRET_UNAVAILABLE if Secrets Manager fails (%s, %o)', async (kind, details, facts) => {
    const { aws, secrets } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    aws.faults.add({ service: 'secretsmanager', kind, ...details } as never);
    const error = await secrets.read('fb1', { by: soon() }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('could not read the secret flashblade/fb1: '),
    });
    expect(error.facts).toEqual(facts);
  });

  it('uses a stale secret for at most 15 minutes while Secrets Manager is down, and reports it', async () => {
    const { aws, secrets, stale, pass } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    await secrets.read('fb1', { by: soon() });
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle' });
    pass(300 + 899);
    expect((await secrets.read('fb1', { by: soon() })).apiToken.reveal()).toBe(TOKEN);
    expect(stale).toEqual(['fb1']);
    await expect(secrets.read('fb1', { by: soon(), fresh: true })).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
    });
    pass(1);
    await expect(secrets.read('fb1', { by: soon() })).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });

  it('does not use a cached secret that has been deleted', async () => {
    const { aws, secrets, pass } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    await secrets.read('fb1', { by: soon() });
    pass(300);
    const gone = { name: 'ResourceNotFoundException', status: 400, times: 1 };
    aws.faults.add({ service: 'secretsmanager', kind: 'error', ...gone });
    await expect(secrets.read('fb1', { by: soon() })).rejects.toMatchObject({ code: 'ARRAY_UNKNOWN' });
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle' });
    await expect(secrets.read('fb1', { by: soon() })).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });

  it('names a secret that breaks a rule', async () => {
    const { aws, secrets } = await fleet();
    aws.secrets.put('flashblade/fb1', {});
    const call = secrets.read('fb1', { by: soon() });
    await expect(call).rejects.toMatchObject({
      code: 'SECRET_INVALID',
      message: expect.stringContaining('flashblade/fb1'),
    });
  });

  it('uses a stale secret more than once while Secrets Manager is down', async () => {
    const { aws, secrets, stale, pass } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    const cached = await secrets.read('fb1', { by: soon() });
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle' });
    pass(300);
    for (let n = 0; n < 2; n++) expect(await secrets.read('fb1', { by: soon() })).toBe(cached);
    expect(stale).toEqual(['fb1', 'fb1']);
  });

  it('says that a secret is scheduled for deletion', async () => {
    const { aws, secrets } = await fleet();
    aws.faults.add({ service: 'secretsmanager', kind: 'error', name: 'InvalidRequestException', status: 400 });
    const call = secrets.read('fb1', { by: soon() });
    await expect(call).rejects.toMatchObject({
      code: 'ARRAY_UNKNOWN',
      facts: { secretDeleted: true },
      message: expect.stringMatching(/flashblade\/fb1 cannot be read.*deletion/),
    });
  });

  it('does not use a cached secret if its current version breaks a rule', async () => {
    const { aws, secrets, pass } = await fleet();
    aws.secrets.put('flashblade/fb1', SECRET);
    await secrets.read('fb1', { by: soon() });
    aws.secrets.put('flashblade/fb1', { ...SECRET, host: '' });
    pass(300);
    await expect(secrets.read('fb1', { by: soon() })).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle' });
    await expect(secrets.read('fb1', { by: soon() })).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });

  it('waits for Secrets Manager no longer than its caller allows', async () => {
    const { aws, secrets } = await fleet();
    aws.faults.add({ service: 'secretsmanager', kind: 'hang' });
    noPatience();
    await expect(secrets.read('fb1', { by: Date.now() + 100 })).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    await expect(secrets.read('fb1', { by: Date.now() - 1 })).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
  });
});

describe('listing the fleet', () => {
  it('returns every secret under the prefix, from all pages, sorted', async () => {
    const { aws, secrets } = await fleet();
    const names = Array.from({ length: 230 }, (_, n) => `fb${String(n).padStart(3, '0')}`);
    for (const name of names.toReversed()) aws.secrets.put(`flashblade/${name}`, SECRET);
    aws.secrets.put('other/fb', SECRET);
    expect(await secrets.list({ by: soon() })).toEqual(names);
    expect(aws.calls.filter(({ action }) => action === 'ListSecrets')).toHaveLength(3);
  });

  it('requests only secrets with the prefix, because an account may have many others', async () => {
    const { aws, secrets } = await fleet();
    for (let n = 0; n < 101; n++) aws.secrets.put(`other/${n}`, SECRET);
    aws.secrets.put('flashblade/fb1', SECRET);
    expect(await secrets.list({ by: soon() })).toEqual(['fb1']);
    expect(aws.calls.filter(({ action }) => action === 'ListSecrets')).toHaveLength(1);
  });

  const listing = (output: object) => {
    const client = { send: async () => output } as unknown as SecretsManagerClient;
    const none = { prefix: 'flashblade/', cacheSeconds: 300, now: Date.now, onStale: () => {} };
    return createSecrets({ client, ...none }).list({ by: soon() });
  };

  it('skips secrets without a name or without the prefix', async () => {
    expect(await listing({})).toEqual([]);
    // The name filter of Secrets Manager ignores case.
    const names = [{ Name: 'flashblade/fb1' }, {}, { Name: 'Flashblade/fb2' }];
    expect(await listing({ SecretList: names })).toEqual(['fb1']);
  });

  it('skips secrets that are scheduled for deletion', async () => {
    const names = [{ Name: 'flashblade/fb1' }, { Name: 'flashblade/fb2', DeletedDate: new Date() }];
    expect(await listing({ SecretList: names })).toEqual(['fb1']);
  });

  /** Lists pages that `pageAt` returns for each call, counted from 0. */
  const paging = (pageAt: (nth: number) => object, by = soon()) => {
    let calls = 0;
    const client = { send: async () => pageAt(calls++) } as unknown as SecretsManagerClient;
    const none = { prefix: 'flashblade/', cacheSeconds: 300, now: Date.now, onStale: () => {} };
    return createSecrets({ client, ...none }).list({ by });
  };

  it('reads as many pages as there are, also empty ones', async () => {
    const names = await paging((nth) => ({
      SecretList: nth % 3 === 0 ? [] : [{ Name: `flashblade/fb${nth}` }],
      ...(nth < 300 && { NextToken: `page-${nth + 1}` }),
    }));
    expect(names).toHaveLength(200);
  });

  it('fails instead of returning a part of a list that does not end', async () => {
    await expect(paging(() => ({ SecretList: [], NextToken: 'more' }))).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringContaining('the same page twice'),
    });
    const endless = paging(
      (nth) => ({ SecretList: [{ Name: 'flashblade/fb1' }], NextToken: `${nth}` }),
      Date.now() + 50,
    );
    await expect(endless).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
  });

  it('lists only the names that begin with a prefix, and returns them whole', async () => {
    const { aws, secrets } = await fleet();
    for (let n = 0; n < 150; n++) aws.secrets.put(`flashblade/fb${n}`, SECRET);
    expect(await secrets.list({ by: soon(), prefix: 'fb14' })).toEqual([
      'fb14',
      ...Array.from({ length: 10 }, (_, n) => `fb14${n}`),
    ]);
    expect(aws.calls.filter(({ action }) => action === 'ListSecrets')).toHaveLength(1);
  });

  it('throws SECRET_UNAVAILABLE and names the prefix if Secrets Manager fails', async () => {
    const { aws, secrets } = await fleet();
    aws.faults.add({ service: 'secretsmanager', kind: 'deny' });
    await expect(secrets.list({ by: soon() })).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringContaining('list the secrets under flashblade/'),
    });
  });
});
