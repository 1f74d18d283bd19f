/** Failures of `npm run secret`: nothing is written, the exit code is not 0, and the message names the next step. */
import { devNull } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { createAuthority, selfSigned } from '../../../simulator/certificates.ts';
import { CONFIRM, type Ended, HOST, secretWorld, TOKEN } from './secret.fixture.ts';

type World = Awaited<ReturnType<typeof secretWorld>>;

const DAY_MS = 86_400_000;
const NEW = ({ host, fingerprint }: World) => ['fb1', '--host', host, '--fingerprint', fingerprint, '--yes'];

function expectNothing(
  world: World,
  { code, printed }: Ended,
  expected: { code?: number; logins?: number; why: string | RegExp },
) {
  expect(printed).toMatch(expected.why);
  expect(printed).toContain('Nothing was written.');
  expect({ code, writes: world.writes(), logins: world.logins() }).toEqual({
    code: expected.code ?? 1,
    writes: [],
    logins: expected.logins ?? 0,
  });
}

describe('nothing is written, and no login is tried, when', () => {
  test('the host is invalid', async () => {
    const world = await secretWorld();
    for (const host of ['not a host', 'http://fb1', '']) {
      const ended = await world.atTerminal(['fb1'], [[HOST, `${host}\r`]]);
      expectNothing(world, ended, { why: 'the host must be a DNS name' });
    }
  });

  test('an environment variable looks like an API token', async () => {
    const world = await secretWorld();
    for (const name of ['SECRET_PREFIX', 'SECRETS_KEY']) {
      const env = { [name]: 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301' };
      const { code, printed } = await world.piped(NEW(world), world.apiToken, { env });
      expect({ code, calls: world.aws.calls, logins: world.logins() }).toEqual({ code: 2, calls: [], logins: 0 });
      expect(printed).toBe(`environment variable ${name} must not contain anything that looks like an API token\n`);
    }
  });

  test('the host looks like an API token', async () => {
    const world = await secretWorld();
    for (const token of ['T-3f2504e0-4f89-11d3-9a0c-0305e82c3301', '3f2504e0-4f89-11d3-9a0c-0305e82c3301:443']) {
      const ended = await world.atTerminal(['fb1'], [[HOST, `${token}\r`]]);
      expectNothing(world, ended, { why: 'the host looks like an API token. Were host and apiToken swapped?' });
    }
  });

  test('the CA file contains no certificate', async () => {
    const world = await secretWorld();
    const { code, printed } = await world.piped(
      ['fb1', '--host', world.host, '--ca', world.file('no PEM'), '--yes'],
      world.apiToken,
    );
    expect({ code, calls: world.aws.calls, logins: world.logins() }).toEqual({ code: 2, calls: [], logins: 0 });
    expect(printed).toContain('--ca: the text in this file must be one or more certificates as PEM text');
  });

  test('the secret would be larger than Secrets Manager accepts', async () => {
    const world = await secretWorld();
    const authorities = await Promise.all([createAuthority(), createAuthority()]);
    const many = Array.from({ length: 150 }, (_, n) => authorities[n % 2]?.certificate.trim());
    const ca = world.file([world.simulator.certificate, ...many].join('\n'));
    const ended = await world.piped(['fb1', '--host', world.host, '--ca', ca, '--yes'], world.apiToken);
    expectNothing(world, ended, {
      why: /the secret would have \d{5} bytes, but Secrets Manager accepts at most 65536\. /,
    });
  });

  test.each([
    ['"', '"', 'Remove the quotation marks'],
    ['Bearer ', '', 'Keep only the token'],
    ['api-token: ', '', 'Keep only the token'],
    ['', '\nsecond line', 'Remove the spaces and line breaks in it'],
  ])('the API token is written as %j … %j', async (before, after, why) => {
    const world = await secretWorld();
    const ended = await world.piped(NEW(world), `${before}${world.apiToken}${after}`);
    expectNothing(world, ended, { why });
  });

  test('the host refuses connections', async () => {
    const world = await secretWorld();
    const ended = await world.piped(['fb1', '--host', '127.0.0.1:1', '--public', '--yes'], world.apiToken);
    expectNothing(world, ended, { why: '127.0.0.1:1 cannot be reached: it refuses connections on this port' });
  });

  test('the array presents another certificate than the given one', async () => {
    const world = await secretWorld();
    const pinned = ['--fingerprint', 'ab'.repeat(32)];
    const ended = await world.piped(['fb1', '--host', world.host, ...pinned, '--yes'], world.apiToken);
    expectNothing(world, ended, {
      why: /ARRAY_UNTRUSTED: array fb1 .* its certificate's fingerprint is not in trust\.fingerprints/,
    });
  });

  test('the current trust does not accept the certificate', async () => {
    const world = await secretWorld();
    world.put({ trust: { fingerprints: ['ab'.repeat(32)] } });
    const ended = await world.piped(['fb1', '--yes'], world.apiToken);
    expectNothing(world, ended, { why: /\(from the current secret\)\.[\s\S]*ARRAY_UNTRUSTED/ });
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

  test('the user does not confirm the certificate with a clear yes', async () => {
    const world = await secretWorld();
    for (const answer of ['no', '', 'yesterday']) {
      const ended = await world.atTerminal(['fb1', '--host', world.host, '--yes'], [[CONFIRM, `${answer}\r`]]);
      expectNothing(world, ended, { why: 'the certificate was not confirmed' });
    }
  });

  test('the user presses Ctrl-C or Ctrl-D at a question', async () => {
    const world = await secretWorld();
    const args = ['fb1', '--host', world.host];
    for (const [key, code] of [
      ['\u0003', 130],
      ['\u0004', 1],
    ] as const) {
      const early = await world.atTerminal(args, [[CONFIRM, key]]);
      expectNothing(world, early, { code, why: 'canceled' });
      const late = await world.atTerminal(args, [
        [CONFIRM, 'yes\r'],
        [TOKEN, `T-half${key}`],
      ]);
      expectNothing(world, late, { code, why: 'canceled' });
    }
  });

  test('a signal arrives while a question waits', async () => {
    const world = await secretWorld();
    const abort = new AbortController();
    const ended = world.atTerminal(['fb1'], [], { signal: abort.signal });
    await vi.waitFor(() => expect(world.aws.calls).toHaveLength(1), 15_000);
    abort.abort();
    expectNothing(world, await ended, { code: 130, why: 'interrupted' });
  });

  test('the API token from the terminal or from the pipe is empty', async () => {
    const world = await secretWorld();
    const typed = await world.atTerminal(['fb1', ...NEW(world).slice(1)], [[TOKEN, '\r']]);
    expectNothing(world, typed, { why: 'no API token was entered' });
    world.put();
    expectNothing(world, await world.piped(NEW(world), '\n'), { why: 'no API token was piped in' });
  });

  test('the API token contains an invalid character', async () => {
    const world = await secretWorld();
    const ended = await world.piped(NEW(world), world.alsoSecret('T-one-and-another\nT-two-and-another'));
    expectNothing(world, ended, {
      why: 'SECRET_INVALID: secret flashblade/fb1: apiToken must be the API token: 1 to 1024',
    });
  });

  test('an option is missing and the input is not a terminal', async () => {
    const world = await secretWorld();
    const host = ['--host', 'fb1.example.com'];
    for (const [options, why] of [
      [['--yes', '--public'], '--host is required'],
      [['--yes', ...host], '--ca, --fingerprint or --public is required'],
      [['--public', ...host], '--yes is required'],
      [['--public', ...host, '--yes', '--keep-api-token'], '--keep-api-token requires an existing secret'],
    ] as const) {
      expectNothing(world, await world.piped(['fb1', ...options], world.apiToken), { code: 2, why });
    }
  });
});

describe('nothing is written when', () => {
  test('the array refuses the API token, which is sent only once', async () => {
    const world = await secretWorld();
    const ended = await world.piped(NEW(world), world.alsoSecret('T-11111111-2222-3333-4444-555555555555'));
    expectNothing(world, ended, { logins: 1, why: /LOGIN_REFUSED: .* it does not accept this API token/ });
  });

  test('the response to the login is lost, and the login is not repeated', async () => {
    const world = await secretWorld();
    world.simulator.faults.add({ kind: 'reset', path: '/api/login' });
    const ended = await world.piped(NEW(world), world.apiToken, { live: 1 });
    expectNothing(world, ended, {
      logins: 1,
      why: /ARRAY_UNREACHABLE: .*If a session was opened, the array's idle timeout will end it/,
    });
  });

  test('the test session could not be closed, and the message says so', async () => {
    const world = await secretWorld();
    world.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout' });
    const ended = await world.piped(NEW(world), world.apiToken, { live: 1 });
    expectNothing(world, ended, { logins: 1, why: 'the test session could not be closed: array fb1' });
  });
});

describe('AWS', () => {
  test.each([
    ['the user may not read', 'AccessDeniedException', /AccessDeniedException .* needs the permissions/],
    ['has a disabled key', 'DecryptionFailure', /DecryptionFailure .* KMS key/],
    ['is scheduled for deletion', 'InvalidRequestException', /restore it first/],
  ])('does not return a secret that %s, and nothing is written', async (_, name, why) => {
    const world = await secretWorld();
    world.put();
    const call = { service: 'secretsmanager', action: 'GetSecretValue' } as const;
    world.aws.faults.add({ ...call, kind: 'error', name, status: 400 });
    const ended = await world.piped(NEW(world), world.apiToken);
    expect(ended.printed).toContain('SECRET_UNAVAILABLE: could not read the secret flashblade/fb1: AWS returned');
    expectNothing(world, ended, { why });
  });

  test.each(['CreateSecret', 'PutSecretValue'])(
    'refuses %s, and the message says that nothing was written',
    async (action) => {
      const world = await secretWorld();
      if (action === 'PutSecretValue')
        world.put({ apiToken: world.alsoSecret('T-00000000-old0-old0-old0-000000000000') });
      const before = await world.stored().catch(() => 'none');
      world.aws.faults.add({ kind: 'deny', service: 'secretsmanager', action });
      const { code, printed } = await world.piped(NEW(world), world.apiToken);
      expect(code).toBe(1);
      expect(printed).toMatch(
        /AWS_UNAVAILABLE: could not write the secret flashblade\/fb1: AWS returned AccessDeniedException .*Nothing was written\./,
      );
      expect(await world.stored().catch(() => 'none')).toEqual(before);
      expect(world.simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout']);
    },
  );

  test('does not respond to the write, and the message says that it may have succeeded', async () => {
    const world = await secretWorld();
    world.aws.faults.add({ kind: 'lost answer', service: 'secretsmanager', action: 'CreateSecret' });
    const { code, printed } = await world.piped(NEW(world), world.apiToken);
    expect(code).toBe(1);
    expect(printed).toContain('The secret may have been written. It is safe to run the command again.');
    expect(printed).not.toContain('Nothing was written');
  });

  test('refuses the retry of a write whose response was lost, and the message says that it may have succeeded', async () => {
    const world = await secretWorld();
    const write = { service: 'secretsmanager', action: 'CreateSecret' } as const;
    world.aws.faults.add({ kind: 'lost answer', ...write, times: 1 });
    world.aws.faults.add({ kind: 'deny', ...write });
    const { code, printed } = await world.piped(NEW(world), world.apiToken);
    expect(code).toBe(1);
    expect(printed).toMatch(/AccessDeniedException .*The secret may have been written/);
    expect((await world.stored()).value).toMatchObject({ host: world.host });
  });

  test('reports a secret that another process created meanwhile, which is not replaced', async () => {
    const world = await secretWorld();
    const theirs = { host: 'other.example.com' };
    world.aws.onCall((phase, { action }) => {
      if (phase === 'received' && action === 'CreateSecret') world.put(theirs);
    });
    const { code, printed } = await world.piped(NEW(world), world.apiToken);
    expect({ code, printed }).toMatchObject({
      code: 1,
      printed: expect.stringContaining('another process just created it'),
    });
    expect((await world.stored()).value).toMatchObject(theirs);
  });

  test('is not called without a region or without credentials', async () => {
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
      why: 'no AWS region is set; set AWS_REGION',
    });
  });
});
