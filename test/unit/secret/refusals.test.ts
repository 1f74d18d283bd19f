/** Whatever does not hold: nothing is written, the exit code says so, and the message says what to do. */
import { devNull } from 'node:os';
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test, vi } from 'vitest';
import { selfSigned } from '../../../simulator/certificates.ts';
import { CONFIRM, type Ended, HOST, ID, secretWorld, TOKEN } from './secret.fixture.ts';

type World = Awaited<ReturnType<typeof secretWorld>>;

const DAY_MS = 86_400_000;
const NEW = ({ host, fingerprint }: World) => ['fb1', '--host', host, '--fingerprint', fingerprint, '--yes'];

function expectNothing(
  world: World,
  { code, told }: Ended,
  expected: { code?: number; logins?: number; why: string | RegExp },
) {
  expect(told).toMatch(expected.why);
  expect(told).toContain('Nothing was written.');
  expect({ code, writes: world.writes(), logins: world.logins() }).toEqual({
    code: expected.code ?? 1,
    writes: [],
    logins: expected.logins ?? 0,
  });
}

describe('nothing is written, and no login is tried, when', () => {
  test('the host is none', async () => {
    const world = await secretWorld();
    for (const host of ['not a host', 'http://fb1', '']) {
      const ended = await world.atTerminal(['fb1'], [[HOST, `${host}\r`]]);
      expectNothing(world, ended, { why: 'the host must be a DNS name' });
    }
  });

  test('an environment variable is probably the API token', async () => {
    const world = await secretWorld();
    for (const name of ['SECRET_PREFIX', 'SECRETS_KEY']) {
      const env = { [name]: 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301' };
      const { code, told } = await world.piped(NEW(world), world.apiToken, { env });
      expect({ code, calls: world.aws.calls, logins: world.logins() }).toEqual({ code: 2, calls: [], logins: 0 });
      expect(told).toBe(`environment variable ${name} must not contain what looks like an API token\n`);
    }
  });

  test('the host is probably the API token', async () => {
    const world = await secretWorld();
    for (const token of ['T-3f2504e0-4f89-11d3-9a0c-0305e82c3301', '3f2504e0-4f89-11d3-9a0c-0305e82c3301:443']) {
      const ended = await world.atTerminal(['fb1'], [[HOST, `${token}\r`]]);
      expectNothing(world, ended, { why: 'the host looks like an API token: were host and apiToken swapped?' });
    }
  });

  test('a CA file is none', async () => {
    const world = await secretWorld();
    const { code, told } = await world.piped(
      ['fb1', '--host', world.host, '--ca', world.file('no PEM'), '--yes'],
      world.apiToken,
    );
    expect({ code, calls: world.aws.calls, logins: world.logins() }).toEqual({ code: 2, calls: [], logins: 0 });
    expect(told).toContain('--ca must be a file with PEM text');
  });

  test('nobody answers at that host', async () => {
    const world = await secretWorld();
    const ended = await world.piped(['fb1', '--host', '127.0.0.1:1', '--public', '--yes'], world.apiToken);
    expectNothing(world, ended, { why: '127.0.0.1:1 refuses connections: check the port' });
  });

  test('another certificate is presented than the pinned one', async () => {
    const world = await secretWorld();
    const pinned = ['--fingerprint', 'ab'.repeat(32)];
    const ended = await world.piped(['fb1', '--host', world.host, ...pinned, '--yes'], world.apiToken);
    expectNothing(world, ended, {
      why: /ARRAY_UNTRUSTED: array fb1 .* its certificate's fingerprint is not in trust\.fingerprints/,
    });
  });

  test('the earlier trust does not accept what is presented', async () => {
    const world = await secretWorld();
    world.put({ trust: { fingerprints: ['ab'.repeat(32)] } });
    const ended = await world.piped(['fb1', '--yes'], world.apiToken);
    expectNothing(world, ended, { why: /as in the present secret\.[\s\S]*ARRAY_UNTRUSTED/ });
  });

  test('the certificate has expired', async () => {
    const at = (days: number) => new Date(Date.now() + days * DAY_MS);
    const certificate = await selfSigned({ notBefore: at(-20), notAfter: at(-10) });
    const world = await secretWorld({ certificate });
    expectNothing(world, await world.piped(NEW(world), world.apiToken), { why: 'its certificate has expired' });
    expectNothing(world, await world.atTerminal(['fb1', '--host', world.host], []), {
      why: 'its certificate has expired',
    });
  });

  test('the certificate is not answered for with a clear yes', async () => {
    const world = await secretWorld();
    for (const answer of ['no', '', 'yesterday']) {
      const ended = await world.atTerminal(['fb1', '--host', world.host, '--yes'], [[CONFIRM, `${answer}\r`]]);
      expectNothing(world, ended, { why: 'the certificate was not confirmed' });
    }
  });

  test('the person presses Ctrl-C or Ctrl-D at a question', async () => {
    const world = await secretWorld();
    const args = ['fb1', '--host', world.host];
    for (const [key, code] of [
      ['\u0003', 130],
      ['\u0004', 1],
    ] as const) {
      const early = await world.atTerminal(args, [[CONFIRM, key]]);
      expectNothing(world, early, { code, why: 'cancelled' });
      const late = await world.atTerminal(args, [
        [CONFIRM, 'yes\r'],
        [TOKEN, `T-half${key}`],
      ]);
      expectNothing(world, late, { code, why: 'cancelled' });
    }
  });

  test('a signal comes while a question waits', async () => {
    const world = await secretWorld();
    const abort = new AbortController();
    const ended = world.atTerminal(['fb1'], [], { signal: abort.signal });
    await vi.waitFor(() => expect(world.aws.calls).toHaveLength(1), 15_000);
    abort.abort();
    expectNothing(world, await ended, { code: 130, why: 'interrupted' });
  });

  test('the API token that is typed is empty, or that in the pipe', async () => {
    const world = await secretWorld();
    const typed = await world.atTerminal(['fb1', ...NEW(world).slice(1)], [[TOKEN, '\r']]);
    expectNothing(world, typed, { why: 'no API token was typed' });
    world.put();
    expectNothing(world, await world.piped(NEW(world), '\n'), { why: 'no API token was in the pipe' });
  });

  test('the API token has characters that none has', async () => {
    const world = await secretWorld();
    const ended = await world.piped(NEW(world), world.alsoSecret('T-one-and-another\nT-two-and-another'));
    expectNothing(world, ended, {
      why: 'SECRET_INVALID: secret flashblade/fb1: apiToken must be the API token: 1 to 1024',
    });
  });

  test('nobody can be asked, and something is missing', async () => {
    const world = await secretWorld();
    const there = ['--host', 'fb1.example.com'];
    for (const [options, why] of [
      [['--yes', '--public'], '--host is needed'],
      [['--yes', ...there], '--ca, --fingerprint or --public is needed'],
      [['--public', ...there], '--yes is needed'],
      [['--public', ...there, '--yes', '--keep-api-token'], '--keep-api-token needs a secret'],
    ] as const) {
      expectNothing(world, await world.piped(['fb1', ...options], world.apiToken), { code: 2, why });
    }
  });
});

describe('nothing is written when', () => {
  test('the array refuses the API token, which is tried once', async () => {
    const world = await secretWorld();
    const ended = await world.piped(NEW(world), world.alsoSecret('T-11111111-2222-3333-4444-555555555555'));
    expectNothing(world, ended, { logins: 1, why: /LOGIN_REFUSED: .* it does not accept this API token/ });
  });

  test('the answer to the login is lost: it is not tried again', async () => {
    const world = await secretWorld();
    world.simulator.faults.add({ kind: 'reset', path: '/api/login' });
    const ended = await world.piped(NEW(world), world.apiToken, { live: 1 });
    expectNothing(world, ended, {
      logins: 1,
      why: /ARRAY_UNREACHABLE: .*If a session was opened, it ends by the array's idle time-out/,
    });
  });

  test('the session could not be closed, which is told', async () => {
    const world = await secretWorld();
    world.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout' });
    const ended = await world.piped(NEW(world), world.apiToken, { live: 1 });
    expectNothing(world, ended, { logins: 1, why: 'the session that tried it could not be closed: array fb1' });
  });
});

describe('AWS', () => {
  test.each([
    ['is denied', (world: World) => world.aws.secrets.deny(ID), /AccessDeniedException .* needs the permission/],
    ['has a key that is disabled', (world: World) => world.disableKey(), /DecryptionFailure .* KMS key/],
    [
      'is scheduled for deletion',
      (world: World) => world.secrets.send(new DeleteSecretCommand({ SecretId: ID })),
      /restore it first/,
    ],
  ])('does not tell a secret that %s: nothing is written', async (_, spoil, why) => {
    const world = await secretWorld();
    const { host, apiToken, fingerprint } = world;
    await world.create({ host, apiToken, trust: { fingerprints: [fingerprint] } }, world.key.arn);
    await spoil(world);
    const ended = await world.piped(NEW(world), apiToken);
    expect(ended.told).toContain('SECRET_UNAVAILABLE: could not read the secret flashblade/fb1: AWS returned');
    expectNothing(world, ended, { why });
  });

  test.each(['CreateSecret', 'PutSecretValue'])('refuses %s: nothing was written, and that is said', async (action) => {
    const world = await secretWorld();
    if (action === 'PutSecretValue')
      world.put({ apiToken: world.alsoSecret('T-00000000-old0-old0-old0-000000000000') });
    const before = await world.stored().catch(() => 'none');
    world.aws.faults.add({ kind: 'deny', service: 'secretsmanager', action });
    const { code, told } = await world.piped(NEW(world), world.apiToken);
    expect(code).toBe(1);
    expect(told).toMatch(
      /AWS_UNAVAILABLE: could not write the secret flashblade\/fb1: AWS returned AccessDeniedException .*Nothing was written\./,
    );
    expect(await world.stored().catch(() => 'none')).toEqual(before);
    expect(world.simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout']);
  });

  test('never answers the write: that it is not known whether it happened is said', async () => {
    const world = await secretWorld();
    world.aws.faults.add({ kind: 'lost answer', service: 'secretsmanager', action: 'CreateSecret' });
    const { code, told } = await world.piped(NEW(world), world.apiToken);
    expect(code).toBe(1);
    expect(told).toContain('Whether it was written is not known: run this again');
    expect(told).not.toContain('Nothing was written');
  });

  test('refuses the repetition of a write whose answer was lost: that, too, is not known', async () => {
    const world = await secretWorld();
    const write = { service: 'secretsmanager', action: 'CreateSecret' } as const;
    world.aws.faults.add({ kind: 'lost answer', ...write, times: 1 });
    world.aws.faults.add({ kind: 'deny', ...write });
    const { code, told } = await world.piped(NEW(world), world.apiToken);
    expect(code).toBe(1);
    expect(told).toMatch(/AccessDeniedException .*Whether it was written is not known/);
    expect((await world.stored()).value).toMatchObject({ host: world.host });
  });

  test('finds a secret that was created meanwhile: it is not replaced', async () => {
    const world = await secretWorld();
    const theirs = { host: 'other.example.com' };
    world.aws.onCall((phase, { action }) => {
      if (phase === 'received' && action === 'CreateSecret') world.put(theirs);
    });
    const { code, told } = await world.piped(NEW(world), world.apiToken);
    expect({ code, told }).toMatchObject({ code: 1, told: expect.stringContaining('it was created at this moment') });
    expect((await world.stored()).value).toMatchObject(theirs);
  });

  test('has no region, or no credentials', async () => {
    const world = await secretWorld();
    vi.stubEnv('AWS_CONFIG_FILE', devNull);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', devNull);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    expectNothing(world, await world.piped(NEW(world), world.apiToken), {
      why: /CredentialsProviderError\); sign in to AWS/,
    });
    vi.stubEnv('AWS_REGION', '');
    expectNothing(world, await world.piped(NEW(world), world.apiToken), {
      code: 2,
      why: 'there is no AWS region: set AWS_REGION',
    });
  });
});
