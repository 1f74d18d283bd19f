import { expect, test } from 'vitest';
import { untrusted } from '../../lib/edges/flashblade/tls-errors.ts';
import { arrayAt } from './servers.ts';

test('a certificate whose names are empty is told of, too', () => {
  // What Node gives for one that was made with the subject "/".
  const certificate = { subject: undefined, issuer: undefined, validFrom: 'a', validTo: 'b', fingerprint256: 'AB' };
  const { code, message } = untrusted(arrayAt({ port: 1 }), 'it is another', certificate as never);
  expect([code, message]).toEqual(['ARRAY_UNTRUSTED', expect.stringContaining('for no name, issued by no name,')]);
});
