import { randomBytes, X509Certificate } from 'node:crypto';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import type { FlashBlade, Trust } from '../../../lib/core/model.ts';
import { apiVersionsWithHttpInfo, login, logoutWithHttpInfo } from '../../../lib/flashblade/client.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { earliestEndOf } from '../../../lib/flashblade/tls.ts';
import { failedCheck } from '../../../lib/flashblade/trust.ts';
import { type Authority, createAuthority, type IssuedCertificate } from '../../../simulator/certificates.ts';
import { arrayAt, authority, certificate, reply, startServer } from './servers.ts';
import { simulated } from './simulated.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const NEVER = new Date('2099-12-31T23:59:59Z');
const endOf = (certificate: string): number => new X509Certificate(certificate).validToDate.getTime() / 1000;
const lasting = await createAuthority({ name: 'Lasting Authority', notAfter: NEVER });
const under = ({ certificate: ca }: Authority): Trust => ({ kind: 'ca', ca });
const BOTH: Trust = { kind: 'ca', ca: [authority, lasting].map(({ certificate: ca }) => ca).join('\n') };
const secondsOf = ({ certificateEndsAt: at }: { readonly certificateEndsAt?: Date }) => at && at.getTime() / 1000;
/** In seconds since the epoch. */
const ask = async (array: FlashBlade) => secondsOf(await apiVersionsWithHttpInfo(array));

const HOUR_MS = 3_600_000;
const soon = new Date(Date.now() + HOUR_MS);
const shortRoot = await createAuthority({ name: 'Short Root', notAfter: soon });
const shortBetween = await lasting.subordinate('Short Between', { notAfter: soon });
const between = await lasting.subordinate('Between', { notAfter: NEVER });
const deep = await shortBetween.subordinate('Deep', { notAfter: NEVER });
/** A certificate of that authority, presented with another one behind it. */
async function presenting(issuer: Authority, behind: string): Promise<IssuedCertificate> {
  const issued = await issuer.issue({ notAfter: NEVER });
  return { ...issued, certificate: [issued.certificate, behind].join('\n') };
}

const CHAINS: Readonly<Record<string, { trust: Trust; issued: IssuedCertificate }>> = {
  'the root, right behind it': { trust: under(shortRoot), issued: await shortRoot.issue() },
  'the root, behind another authority': {
    trust: under(shortRoot),
    issued: await (await shortRoot.subordinate('Between', { notAfter: NEVER })).issue(),
  },
  'the root, behind a renewed one of the same key that is presented': {
    trust: under(shortRoot),
    issued: await presenting(shortRoot, await shortRoot.vouchFor(shortRoot, { notAfter: NEVER })),
  },
  'the root, behind a cross-signed one of the same key that is presented': {
    trust: under(shortRoot),
    issued: await presenting(shortRoot, await lasting.vouchFor(shortRoot, { notAfter: NEVER })),
  },
  'the authority behind it': { trust: under(lasting), issued: await shortBetween.issue() },
  'an authority far behind it': { trust: under(lasting), issued: await deep.issue() },
  'its own': { trust: under(lasting), issued: await between.issue({ notAfter: soon }) },
};

test.for([
  [-1, undefined],
  [0, 'its certificate has expired'],
] satisfies [number, string | undefined][])(
  'a pinned certificate, %i ms after its end, fails the check: %s',
  ([laterMs, fails]) => {
    const x509 = new X509Certificate(certificate.certificate);
    const trust = { kind: 'fingerprints', fingerprints: [certificate.fingerprint] } as const;
    expect(failedCheck(trust, x509, x509.validToDate.getTime() + laterMs)).toBe(fails);
  },
);

describe('the end of the certificate', () => {
  it('is part of every response', async () => {
    const { simulator, array: short, token } = await simulated();
    const array = { ...short, trust: under(lasting) };
    const issued = await lasting.issue();
    simulator.swapCertificate(issued);
    expect(await ask(array)).toBe(endOf(issued.certificate));
    const session = await login(array, token);
    expect(secondsOf(await logoutWithHttpInfo(session))).toBe(endOf(issued.certificate));
  });

  it('is known on a resumed connection, which presents no certificate', async () => {
    const { simulator, array } = await simulated();
    const first = await ask(array);
    closeConnections();
    expect(await ask(array)).toBe(first);
    expect(simulator.counters).toMatchObject({ fullHandshakes: 1, resumedHandshakes: 1 });
    expect(first).toBeGreaterThan(Date.now() / 1000);
  });

  it('is never that of a refused certificate', async () => {
    const { simulator, array } = await simulated();
    const before = await ask(array);
    closeConnections();
    simulator.swapCertificate(await authority.issue({ names: ['another'], addresses: [], notAfter: NEVER }));
    await expect(ask(array)).rejects.toMatchObject({ code: 'ARRAY_UNTRUSTED' });
    const usual = await authority.issue();
    simulator.swapCertificate(usual);
    expect(await ask(array)).toBe(endOf(usual.certificate));
    expect(before).toBeLessThan(NEVER.getTime() / 1000);
  });

  it('is that of the connection that carried the response, even if another connection presents another certificate meanwhile', async () => {
    const waiting: TLSSocket[] = [];
    const server = await startServer((socket) => {
      if (waiting.push(socket) === 2) for (const each of waiting) each.write(reply(200));
    });
    const array = arrayAt(server, { trust: BOTH });
    const first = exchange(array, GET);
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    server.present(await lasting.issue({ notAfter: NEVER }), randomBytes(48));
    const second = exchange(array, GET);
    expect((await first).certificateEndsAt).toBe(endOf(certificate.certificate));
    expect((await second).certificateEndsAt).toBe(NEVER.getTime() / 1000);
  });

  it('is that of the new certificate after the array replaces its certificate', async () => {
    const { simulator, array } = await simulated();
    const pinned: FlashBlade = { ...array, trust: { kind: 'fingerprints', fingerprints: [simulator.fingerprint] } };
    const before = await ask(pinned);
    closeConnections();
    const next = await authority.issue({ notAfter: NEVER });
    simulator.swapCertificate(next);
    const fingerprints = [
      simulator.fingerprint,
      ...(pinned.trust.kind === 'fingerprints' ? pinned.trust.fingerprints : []),
    ];
    expect(await ask({ ...array, trust: { kind: 'fingerprints', fingerprints } })).toBe(NEVER.getTime() / 1000);
    expect(before).toBeLessThan(NEVER.getTime() / 1000);
  });
});

describe('in a whole chain', () => {
  const cases = Object.entries(CHAINS).map(([which, chain]) => [which, chain] as const);
  const SOON = Math.floor(soon.getTime() / 1000);

  afterEach(() => {
    closeConnections();
    vi.useRealTimers();
  });

  it.each(cases)('the first certificate to expire counts: %s', async (_, { trust, issued }) => {
    const server = await startServer(reply(200), issued);
    const { certificateEndsAt } = await exchange(arrayAt(server, { trust }), GET);
    expect(certificateEndsAt).toBe(SOON);
  });

  it.each(cases)('an idle connection is not used after the end of %s', async (_, { trust, issued }) => {
    const server = await startServer(reply(200), issued);
    const array = arrayAt(server, { trust });
    await exchange(array, GET);
    vi.useFakeTimers({ toFake: ['Date'], now: 1000 * SOON - 1 });
    await exchange(array, GET);
    expect(server.resumed).toEqual([false]);
    vi.setSystemTime(1000 * SOON);
    await exchange(array, GET);
    expect(server.resumed).toEqual([false, false]);
  });

  it.each(cases)('a TLS session is not resumed after the end of %s', async (_, { trust, issued }) => {
    const server = await startServer(reply(200), issued);
    const array = arrayAt(server, { trust });
    await exchange(array, GET);
    closeConnections();
    vi.useFakeTimers({ toFake: ['Date'], now: 1000 * SOON - 1 });
    // A resumed connection presents no certificate, so the end of those verified before counts.
    expect((await exchange(array, GET)).certificateEndsAt).toBe(SOON);
    closeConnections();
    vi.setSystemTime(1000 * SOON);
    await exchange(array, GET);
    expect(server.resumed).toEqual([false, true, false]);
  });

  it('an expired authority that the server presents does not count, because it was not verified', async () => {
    const former = await createAuthority({ name: 'Former Root' });
    const ended = { notBefore: new Date(Date.now() - 2 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
    const leaf = await lasting.issue();
    const chain = [leaf.certificate, await former.vouchFor(lasting, ended), former.certificate].join('\n');
    const server = await startServer(reply(200), { ...leaf, certificate: chain });
    const array = arrayAt(server, { trust: under(lasting) });
    expect((await exchange(array, GET)).certificateEndsAt).toBe(endOf(leaf.certificate));
    await exchange(array, GET);
    expect(server.resumed).toEqual([false]);
  });

  it("with a fingerprint only the array's own certificate counts, because no authority is verified", async () => {
    const issued = await shortRoot.issue();
    const server = await startServer(reply(200), issued);
    const trust: Trust = { kind: 'fingerprints', fingerprints: [issued.fingerprint] };
    const { certificateEndsAt } = await exchange(arrayAt(server, { trust }), GET);
    expect(certificateEndsAt).toBe(endOf(issued.certificate));
  });

  it('missing dates do not count, and a circular chain is read only once', () => {
    const one = (valid_to: string | undefined, issuerCertificate?: object) =>
      ({ valid_to, issuerCertificate }) as unknown as PeerCertificate;
    const circle = { valid_to: 'Jan  2 00:00:00 1970 GMT', issuerCertificate: {} };
    circle.issuerCertificate = { issuerCertificate: circle };
    expect(earliestEndOf(one('Jan  3 00:00:00 1970 GMT', circle), 0)).toBe(86_400);
    expect(earliestEndOf(one(undefined, circle), 0)).toBe(86_400);
    expect(earliestEndOf(one('Jan  3 00:00:00 1970 GMT', one(undefined)), 0)).toBe(2 * 86_400);
    expect(earliestEndOf(one('no date'), 0)).toBeUndefined();
  });
});
