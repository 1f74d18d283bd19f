import { beforeAll, describe, expect, it } from 'vitest';
import type { Trust } from '../../../lib/core/model.ts';
import { addressOf, normalFingerprint, trustDigest } from '../../../lib/flashblade/trust.ts';
import { createAuthority } from '../../../simulator/certificates.ts';

let pem = '';
let other = '';

beforeAll(async () => {
  [pem, other] = (await Promise.all([createAuthority(), createAuthority()])).map(({ certificate }) => certificate) as [
    string,
    string,
  ];
});

describe('the trust digest', () => {
  const digestOf = (...fingerprints: string[]) => trustDigest({ kind: 'fingerprints', fingerprints });

  it('is equal for equal trusts only', () => {
    const trusts: Trust[] = [
      { kind: 'public' },
      { kind: 'ca', ca: pem },
      { kind: 'ca', ca: other },
      ...[['a'], ['b'], ['a', 'b'], ['a,b']].map((fingerprints) => ({ kind: 'fingerprints' as const, fingerprints })),
    ];
    expect(new Set(trusts.map(trustDigest)).size).toBe(trusts.length);
    expect(trustDigest({ kind: 'ca', ca: pem })).toBe(trustDigest({ kind: 'ca', ca: pem }));
  });

  it('does not depend on the order of fingerprints, and does not change that order', () => {
    const fingerprints = Object.freeze(['b', 'a']);
    expect(trustDigest({ kind: 'fingerprints', fingerprints })).toBe(digestOf('a', 'b'));
  });

  // Sealed tokens are bound to it, and open leases must survive an update.
  it('is the same in every version', () => {
    expect(trustDigest({ kind: 'public' })).toBe('GqTkB4p07JGO701U1MnKIciGyV4SABfO4aa9MOFZYkc');
    expect(trustDigest({ kind: 'ca', ca: 'pem' })).toBe('jbTEk0l1eiWdGVEI-frvN6IE8Ax5ObgRMtEcW9b9aSY');
    expect(digestOf('aa', 'bb')).toBe('MSVF-f5BPoHFJo0GVaQGt90fTDLF_g6r5MZg8p-SRCI');
  });
});

it('an address consists of host and port, with an IPv6 host in brackets', () => {
  expect(addressOf({ host: 'fb1.example.com', port: 443 })).toBe('fb1.example.com:443');
  expect(addressOf({ host: '2001:db8::1', port: 8443 })).toBe('[2001:db8::1]:8443');
});

describe('a fingerprint', () => {
  const digits = '5e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7';
  const pairs = digits.match(/../g) as string[];

  it('is 64 hex digits in either case, with or without a colon after every two', () => {
    for (const text of [digits, digits.toUpperCase(), pairs.join(':'), pairs.join(':').toUpperCase()]) {
      expect(normalFingerprint(text)).toBe(digits);
    }
  });

  it.each([
    digits.slice(1),
    `${digits}0`,
    ` ${digits}`,
    `${digits}\n`,
    digits.replace('5', 'g'),
    pairs.slice(1).join(':'),
    `${pairs.join(':')}:00`,
    `:${pairs.join(':')}`,
    `${pairs.join(':')}\n`,
    pairs.join('-'),
    pairs.join(':').replace('5', 'g'),
    pairs.join(':').replace('f7', 'g7'),
    '',
  ])('is not %j', (text) => {
    expect(normalFingerprint(text)).toBeUndefined();
  });
});
