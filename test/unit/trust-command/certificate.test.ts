import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { clean, factsOf } from '../../../scripts/trust/certificate.ts';
import { createAuthority, selfSigned } from '../../../simulator/certificates.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const factsAbout = ({ certificate }: { certificate: string }) => factsOf(new X509Certificate(certificate), NOW);

test('the days left are rounded down to whole days', async () => {
  const ending = async (notAfter: Date) => factsAbout(await selfSigned({ notBefore: new Date(0), notAfter })).daysLeft;
  expect(await ending(new Date(NOW + 86_400_000))).toBe(1);
  expect(await ending(new Date(NOW + 86_399_000))).toBe(0);
  expect(await ending(new Date(NOW - 1000))).toBe(-1);
});

test('a key is named with its size or curve', async () => {
  expect(factsAbout(await selfSigned({ keyKind: 'rsa2048' })).key).toBe('RSA, 2048 bits');
  expect(factsAbout(await selfSigned()).key).toBe('EC, prime256v1');
});

test('a certificate counts as self-signed only if its own key signed it', async () => {
  expect(factsAbout(await selfSigned()).selfSigned).toBe(true);
  const authority = await createAuthority({ name: 'localhost' });
  const issued = factsAbout(await authority.issue());
  expect(issued.subject).toBe(issued.issuer);
  expect(issued.selfSigned).toBe(false);
  expect(factsAbout(authority).selfSigned).toBe(true);
});

test('control characters of a certificate do not reach the terminal', async () => {
  const facts = factsAbout(await selfSigned({ names: ['a\u001b[31mb\u202ec\u0085d'] }));
  expect(facts.subject).toMatch(/^CN=a.*b.*c.*d$/);
  for (const value of Object.values(facts)) expect(String(value)).not.toMatch(/\p{C}/u);
});

test('a printed value is one line of limited length', () => {
  expect(clean('a\u001b[2Jb\u202ec\u2028d\n\n e')).toBe('a [2Jb c d e');
  expect(clean('x'.repeat(600))).toHaveLength(502);
  expect(clean(undefined)).toBe('');
});
