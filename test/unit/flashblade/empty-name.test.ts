import { expect, test } from 'vitest';
import { untrusted } from '../../../lib/flashblade/tls-errors.ts';
import { arrayAt } from './servers.ts';

test('the error describes a certificate whose names are empty, too', () => {
  // What Node returns for a certificate with the subject "/".
  const certificate = { subject: undefined, issuer: undefined, validFrom: 'a', validTo: 'b', fingerprint256: 'AB' };
  const { code, message } = untrusted(arrayAt({ port: 1 }), 'it is another', certificate as never);
  expect([code, message]).toEqual(['ARRAY_UNTRUSTED', expect.stringContaining('for no name, issued by no name,')]);
});
