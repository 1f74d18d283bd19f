import { randomBytes, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, test, vi } from 'vitest';
import { failedCheck } from '../../lib/edges/flashblade/fingerprints.ts';
import { closeConnections, exchange } from '../../lib/edges/flashblade/transport.ts';
import { apiVersionsWithHttpInfo, login, logoutWithHttpInfo } from '../../lib/edges/flashblade.ts';
import type { FlashBlade } from '../../lib/ground/model.ts';
import { arrayAt, authority, certificate, reply, startServer } from './servers.ts';
import { simulated } from './simulated.ts';

const NEVER = new Date('2099-12-31T23:59:59Z');
const endOf = (certificate: string): number => new X509Certificate(certificate).validToDate.getTime() / 1000;
const ask = async (array: FlashBlade) => (await apiVersionsWithHttpInfo(array)).certificateEndsAt;

test.for([
  [-1, undefined],
  [0, 'its certificate has expired'],
] satisfies [number, string | undefined][])(
  '%i ms after its end, a pinned certificate fails by: %s',
  ([laterMs, fails]) => {
    const x509 = new X509Certificate(certificate.certificate);
    const trust = { kind: 'fingerprints', fingerprints: [certificate.fingerprint] } as const;
    expect(failedCheck(trust, x509, x509.validToDate.getTime() + laterMs)).toBe(fails);
  },
);

describe('the end of the certificate', () => {
  it('comes with every answer, in seconds since the epoch', async () => {
    const { simulator, array, token } = await simulated();
    const issued = await authority.issue({ notAfter: NEVER });
    simulator.swapCertificate(issued);
    expect(await ask(array)).toBe(NEVER.getTime() / 1000);
    const session = await login(array, token);
    expect((await logoutWithHttpInfo(session)).certificateEndsAt).toBe(endOf(issued.certificate));
  });

  it('is known on a resumed connection, which shows no certificate', async () => {
    const { simulator, array } = await simulated();
    const first = await ask(array);
    closeConnections();
    expect(await ask(array)).toBe(first);
    expect(simulator.counters).toMatchObject({ fullHandshakes: 1, resumedHandshakes: 1 });
    expect(first).toBeGreaterThan(Date.now() / 1000);
  });

  it('is not that of a certificate that was refused', async () => {
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

  it('is that of the connection on which the answer came, also when another shows another certificate meanwhile', async () => {
    const waiting: TLSSocket[] = [];
    const server = await startServer((socket) => {
      if (waiting.push(socket) === 2) for (const each of waiting) each.write(reply(200));
    });
    const array = arrayAt(server);
    const first = exchange(array, { method: 'GET', path: '/api/api_version' });
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    server.present(await authority.issue({ notAfter: NEVER }), randomBytes(48));
    const second = exchange(array, { method: 'GET', path: '/api/api_version' });
    expect((await first).certificateEndsAt).toBe(endOf(certificate.certificate));
    expect((await second).certificateEndsAt).toBe(NEVER.getTime() / 1000);
  });

  it('is that of the new certificate when the array shows another', async () => {
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
