import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../lib/edges/flashblade/places.ts';
import { certificateEndAt } from '../../lib/edges/flashblade/tls.ts';
import { closeConnections } from '../../lib/edges/flashblade/transport.ts';
import { apiVersionsWithHttpInfo, login, logoutWithHttpInfo } from '../../lib/edges/flashblade.ts';
import type { FlashBlade } from '../../lib/ground/model.ts';
import { authority } from './servers.ts';
import { simulated } from './simulated.ts';

const NEVER = new Date('2099-12-31T23:59:59Z');
const endOf = (certificate: string): number => new X509Certificate(certificate).validToDate.getTime() / 1000;
const ask = async (array: FlashBlade) => (await apiVersionsWithHttpInfo(array)).certificateEndsAt;

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
    const pinned: FlashBlade = { ...array, trust: { kind: 'fingerprints', fingerprints: [simulator.fingerprint] } };
    const before = await ask(pinned);
    closeConnections();
    simulator.swapCertificate(await authority.issue({ notAfter: NEVER }));
    await expect(ask(pinned)).rejects.toMatchObject({ code: 'ARRAY_UNTRUSTED' });
    expect(certificateEndAt(placeOf(pinned))).toBe(before);
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
