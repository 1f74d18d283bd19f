import { expect, test } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { apiToken, type FlashBlade } from '../../../lib/core/model.ts';
import { secretText } from '../../../scripts/secret/value.ts';
import { createAuthority } from '../../../simulator/certificates.ts';

const token = apiToken('T-00000000-0000-0000-0000-000000000000');
const { certificate: ca } = await createAuthority();

test.each<[string, Omit<FlashBlade, 'name'>, string]>([
  ['fb1.example.com', { host: 'fb1.example.com', port: 443, trust: { kind: 'public' } }, 'fb1.example.com'],
  ['a port', { host: '192.0.2.1', port: 8443, trust: { kind: 'ca', ca } }, '192.0.2.1:8443'],
  [
    'an IPv6 address',
    { host: '2001:db8::1', port: 443, trust: { kind: 'fingerprints', fingerprints: ['ab'.repeat(32)] } },
    '[2001:db8::1]',
  ],
])('the functions can read the written secret: %s', (_, address, host) => {
  const array = { name: 'fb1', ...address };
  const text = secretText(array, token);
  expect(JSON.parse(text)).toMatchObject({ host });
  const read = parseSecret('fb1', 'flashblade/fb1', { SecretString: text });
  expect(read.array).toEqual(array);
  expect(read.apiToken.reveal()).toBe(token.reveal());
});
