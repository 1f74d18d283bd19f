import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readCommand } from '../../../scripts/secret/arguments.ts';
import { createAuthority } from '../../../simulator/certificates.ts';

const UUID = '0f1e2d3c-aaaa-bbbb-cccc-0123456789ab';
const FINGERPRINT = 'ab'.repeat(32);
const NOTHING = { keepApiToken: false, dryRun: false, yes: false };

function file(text: string): string {
  const path = join(tmpdir(), `${randomUUID()}.pem`);
  writeFileSync(path, text);
  onTestFinished(() => rmSync(path));
  return path;
}

function refusal(...args: string[]): string {
  try {
    readCommand(args);
  } catch (error) {
    return String(error);
  }
  throw new Error('not refused');
}

test('the array name is the only required argument', () => {
  expect(readCommand(['fb1'])).toEqual({ name: 'fb1', ...NOTHING });
});

test('every option is read', async () => {
  const { certificate } = await createAuthority();
  const kmsKey = UUID;
  expect(
    readCommand(['fb1', '--host', 'FB1.example.com:8443', '--ca', file(`${certificate}\n`), '--kms-key', kmsKey]),
  ).toEqual({
    name: 'fb1',
    address: { host: 'fb1.example.com', port: 8443 },
    trust: { kind: 'ca', ca: certificate.trim() },
    kmsKey,
    ...NOTHING,
  });
  const pins = ['--fingerprint', FINGERPRINT.toUpperCase(), '--fingerprint', 'cd:'.repeat(31).concat('cd')];
  expect(readCommand(['fb1', ...pins, '--keep-api-token', '--dry-run', '--yes', `--kms-key=${UUID}`])).toEqual({
    name: 'fb1',
    trust: { kind: 'fingerprints', fingerprints: [FINGERPRINT, 'cd'.repeat(32)] },
    kmsKey,
    ...{ keepApiToken: true, dryRun: true, yes: true },
  });
  expect(readCommand(['fb1', '--public'])).toMatchObject({ trust: { kind: 'public' } });
});

describe('an invalid argument is refused with its rule', () => {
  test.each([
    [[], 'pass the name of one array'],
    [['fb1', 'fb2'], 'pass the name of one array'],
    [['fb 1'], 'must be an array name'],
    [['fb1', '--host', 'fb1/x'], '--host must be a DNS name'],
    [['fb1', '--fingerprint', 'abc'], '--fingerprint must be a SHA-256 fingerprint'],
    [['fb1', ...[1, 2, 3].flatMap(() => ['--fingerprint', FINGERPRINT])], '--fingerprint can be used at most twice'],
    [['fb1', '--public', '--fingerprint', FINGERPRINT], 'cannot be combined'],
    [['fb1', '--ca', '/no/such/file'], '--ca must be a readable file'],
    [['fb1', '--insecure'], "Unknown option '--insecure'"],
    [['fb1', '--host', '--yes'], "Option '--host' argument is ambiguous"],
  ])('%j', (args, rule) => {
    expect(refusal(...args)).toContain(rule);
  });

  test.each([
    ['', 'must be one or more certificates as PEM text'],
    ['not PEM', 'must be one or more certificates as PEM text'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'cannot be used: certificate 1 is damaged'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA', 'contains a private key. Remove it'],
  ])('a CA file with %j', (text, fault) => {
    expect(refusal('fb1', '--ca', file(text))).toContain(`--ca: the text in this file ${fault}`);
  });
});

describe('an API token as an argument is refused and not printed', () => {
  test.each([
    [['fb1', `T-${UUID}`]],
    [[`T-${UUID}`]],
    [['fb1', '--host', `t-${UUID.toUpperCase()}`]],
    [['fb1', `--host=T-${UUID}`]],
    [['fb1', `--T-${UUID}`]],
    [['fb1', '--kms-key', `T-${UUID}`]],
    [['fb1', UUID]],
    [['fb1', '--host', UUID]],
    [['fb1', `--host=${UUID}`]],
    [['fb1', '--api-token', UUID]],
  ])('%j', (args) => {
    const message = refusal(...args);
    expect(message).toContain('an argument looks like an API token');
    expect(message.toLowerCase()).not.toContain('0f1e2d3c');
  });

  test.each([
    [['fb1', '--api-token', 'odd']],
    [['fb1', '--token=odd']],
    [['fb1', '--secret', 'odd']],
    [['fb1', 'odd']],
  ])('%j', (args) => {
    const message = refusal(...args);
    expect(message).toContain('never pass the API token as an argument');
    expect(message).not.toContain('odd');
  });
});
