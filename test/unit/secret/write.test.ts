/** The secrets that `npm run secret` writes if all steps succeed. */
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { CONFIRM, HOST, ID, secretWorld, TOKEN } from './secret.fixture.ts';

describe('a new secret', () => {
  test('is written after the user entered host, confirmation and API token, and after one login and logout', async () => {
    const world = await secretWorld();
    const { apiToken, fingerprint, host } = world;
    const { code, printed } = await world.atTerminal(
      ['fb1'],
      [
        [HOST, `${host}\r`],
        [CONFIRM, 'yes\r'],
        [TOKEN, `${apiToken}\r`],
      ],
    );
    expect(code).toBe(0);
    const { value, versionId } = await world.stored();
    expect(value).toEqual({ host, apiToken, trust: { fingerprints: [fingerprint] } });
    expect(printed).toMatch(/^Certificate 1 of 1, the server's own$/m);
    expect(printed).toContain("Before you trust the server's own certificate, compare its SHA-256 fingerprint");
    expect(printed).toContain('The array accepted the API token for user pureuser. The test session is closed.');
    expect(printed).toContain(`Written: secret ${ID}, version ${versionId}.`);
    expect(printed).toContain('invoke the login function with { "array": "fb1"');
    expect(world.writes()).toEqual(['CreateSecret']);
    expect(world.logins()).toBe(1);
    expect(world.simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout']);
  });

  test('has tags, and the KMS key from the option or from the environment', async () => {
    const world = await secretWorld();
    const { aws, host, fingerprint, apiToken } = world;
    const [first, second] = [aws.kms.createKey().arn, aws.kms.createKey().arn];
    const given = ['--host', host, '--fingerprint', fingerprint, '--yes'];
    const env = { SECRETS_KEY: first };
    expect(await world.piped(['fb1', ...given], apiToken, { env })).toMatchObject({ code: 0 });
    expect(await world.piped(['fb2', ...given, '--kms-key', second], apiToken, { env })).toMatchObject({ code: 0 });
    expect(await world.piped(['fb3', ...given], apiToken)).toMatchObject({ code: 0 });
    const tags = { product: 'flashblade-sessions', array: 'fb1' };
    expect(aws.secrets.find('flashblade/fb1')).toMatchObject({ kmsKeyId: first, tags });
    expect(aws.secrets.find('flashblade/fb2')).toMatchObject({ kmsKeyId: second });
    expect(aws.secrets.find('flashblade/fb3').kmsKeyId).toBeUndefined();
  });

  test('has a name with the prefix in SECRET_PREFIX', async () => {
    const world = await secretWorld();
    const given = ['--host', world.host, '--fingerprint', world.fingerprint, '--yes'];
    await world.piped(['fb1', ...given], world.apiToken, { env: { SECRET_PREFIX: 'storage/' } });
    expect(await world.stored('storage/fb1')).toMatchObject({ value: { host: world.host } });
  });

  test("is written once if AWS's response is lost", async () => {
    const world = await secretWorld();
    world.aws.faults.add({ kind: 'lost answer', service: 'secretsmanager', action: 'CreateSecret', times: 1 });
    const given = ['--host', world.host, '--fingerprint', world.fingerprint, '--yes'];
    const { code, printed } = await world.piped(['fb1', ...given], `${world.apiToken}\n`);
    expect(code).toBe(0);
    expect(world.writes()).toEqual(['CreateSecret', 'CreateSecret']);
    expect(printed).toContain(`version ${(await world.stored()).versionId}.`);
    expect(world.logins()).toBe(1);
  });

  test('can trust a private authority', async () => {
    const world = await secretWorld({ certificate: 'authority' });
    const ca = world.simulator.certificate.trim();
    const file = world.file(`${ca}\n`);
    expect(await world.piped(['fb1', '--host', world.host, '--ca', file, '--yes'], world.apiToken)).toMatchObject({
      code: 0,
    });
    expect((await world.stored()).value).toMatchObject({ trust: { ca } });
  });
});

describe('an update', () => {
  test('of the API token keeps host, trust and key, and the old version becomes AWSPREVIOUS', async () => {
    const world = await secretWorld();
    const { aws, host, fingerprint, apiToken } = world;
    const { arn } = aws.kms.createKey();
    const old = world.alsoSecret('T-00000000-old0-old0-old0-000000000000');
    await world.create({ host, apiToken: old, trust: { fingerprints: [fingerprint, 'ab'.repeat(32)] } }, arn);
    const before = await world.stored();
    const { code, printed } = await world.atTerminal(
      ['fb1', '--kms-key', 'alias/another'],
      [
        [CONFIRM, 'y\r'],
        [TOKEN, `${apiToken}\r`],
      ],
    );
    expect(code).toBe(0);
    const { value, versionId } = await world.stored();
    expect(value).toEqual({ host, apiToken, trust: { fingerprints: [fingerprint, 'ab'.repeat(32)] } });
    expect(printed).toContain(`Written: secret ${ID}, version ${versionId}.`);
    expect(printed).toContain('within five minutes');
    expect(aws.secrets.find(ID)).toMatchObject({
      kmsKeyId: arn,
      tags: { product: 'flashblade-sessions', array: 'fb1' },
    });
    expect([...aws.secrets.find(ID).versions.keys()]).toEqual([before.versionId, versionId]);
  });

  test('from a pipe does not ask about a certificate that the current trust accepts', async () => {
    const world = await secretWorld();
    world.put({ apiToken: world.alsoSecret('T-00000000-old0-old0-old0-000000000000') });
    expect(await world.piped(['fb1', '--yes'], world.apiToken)).toMatchObject({ code: 0 });
    expect((await world.stored()).value).toMatchObject({ apiToken: world.apiToken });
  });

  test.each([
    ['with --keep-api-token', ['--keep-api-token', '--yes'], []],
    ['if the user presses Enter', ['--yes'], [[TOKEN, '\r'] as const]],
  ])('of the trust keeps the API token %s', async (_, options, replies) => {
    const world = await secretWorld();
    world.put({ trust: { fingerprints: ['ab'.repeat(32)] } });
    const next = 'cd'.repeat(32);
    const pins = ['--fingerprint', world.fingerprint, '--fingerprint', next];
    expect(await world.atTerminal(['fb1', ...pins, ...options], replies)).toMatchObject({ code: 0 });
    const { host, apiToken, fingerprint } = world;
    expect((await world.stored()).value).toEqual({ host, apiToken, trust: { fingerprints: [fingerprint, next] } });
  });

  test('replaces an invalid secret completely', async () => {
    const world = await secretWorld();
    world.put({ apiToken: '' });
    const { host, apiToken, fingerprint } = world;
    const { code, printed } = await world.piped(
      ['fb1', '--host', host, '--fingerprint', fingerprint, '--yes'],
      apiToken,
    );
    expect(code).toBe(0);
    expect(printed).toMatch(/is invalid and will be replaced completely \(secret flashblade\/fb1: apiToken must be/);
    expect((await world.stored()).value).toEqual({ host, apiToken, trust: { fingerprints: [fingerprint] } });
  });

  test('succeeds with a warning if only the tags could not be written', async () => {
    const world = await secretWorld();
    world.put({ apiToken: world.alsoSecret('T-00000000-old0-old0-old0-000000000000') });
    world.aws.faults.add({ kind: 'deny', service: 'secretsmanager', action: 'TagResource' });
    const { code, printed } = await world.piped(['fb1', '--yes'], world.apiToken);
    expect(code).toBe(0);
    expect(printed).toContain('tags (product, array) could not be written');
    expect((await world.stored()).value).toMatchObject({ apiToken: world.apiToken });
  });
});

test('a dry run does everything except write', async () => {
  const world = await secretWorld();
  const given = [
    'fb1',
    '--host',
    world.host,
    '--fingerprint',
    world.fingerprint,
    '--yes',
    '--dry-run',
    '--kms-key',
    'alias/x',
  ];
  const { code, printed } = await world.piped(given, world.apiToken);
  expect(code).toBe(0);
  expect(printed).toMatch(
    /Nothing was written, .* the secret flashblade\/fb1 would be created, encrypted with alias\/x\./,
  );
  expect(world.writes()).toEqual([]);
  expect(world.logins()).toBe(1);
});

test('a printed token is found (negative control)', async () => {
  const { apiToken } = await secretWorld();
  expect(tokensIn(`before ${apiToken} after`, [apiToken])).toEqual([apiToken]);
});

test('--help prints the usage, makes no AWS call and asks nothing', async () => {
  const { aws } = await awsWithClients();
  const world = await secretWorld();
  expect(await world.atTerminal(['--help'], [])).toMatchObject({
    code: 0,
    printed: expect.stringContaining('npm run secret -- <array>'),
  });
  expect(aws.calls).toEqual([]);
  expect(world.aws.calls).toEqual([]);
});
