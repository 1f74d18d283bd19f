import { describe, expect, it, onTestFinished } from 'vitest';
import type { FlashBlade, Trust } from '../../../lib/core/model.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { createAuthority, type IssuedCertificate } from '../../../simulator/certificates.ts';
import { failureOf } from '../../unit/flashblade/failures.ts';
import { type Listener, resolveNames, startListener } from './listeners.ts';
import { ELSEWHERE, HAS_ELSEWHERE, HOME, NAME } from './world.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

describe.skipIf(!HAS_ELSEWHERE)('when a host name resolves to another address from the second call on', () => {
  const GET = { method: 'GET', path: '/api/api_version' };

  /** Two listeners at the same port of two addresses. The name can resolve to the second one after a first call. */
  async function moved(
    trustOf: (own: IssuedCertificate, ca: string) => Trust,
    later: 'stranger' | 'sibling' | 'itself',
  ) {
    const [own, other] = await Promise.all([createAuthority(), createAuthority()]);
    const certificate = await own.issue({ names: [NAME] });
    const next = later === 'itself' ? certificate : await (later === 'stranger' ? other : own).issue({ names: [NAME] });
    const first = await startListener({ address: HOME }, certificate, () => OK);
    const second = await startListener({ address: ELSEWHERE, port: first.port }, next, () => OK);
    let addresses = [HOME];
    const restore = resolveNames(() => addresses);
    onTestFinished(async () => {
      restore();
      closeConnections();
      await Promise.all([first.stop(), second.stop()]);
    });
    const array: FlashBlade = {
      name: 'fb1',
      host: NAME,
      port: first.port,
      trust: trustOf(certificate, own.certificate),
    };
    await exchange(array, GET);
    closeConnections();
    const lead = (...to: string[]) => {
      addresses = to;
    };
    return { array, second, lead };
  }
  const reached = async (listener: Listener) => {
    closeConnections();
    await listener.settled();
    return listener.drain();
  };

  const byAuthority = (_: IssuedCertificate, ca: string): Trust => ({ kind: 'ca', ca });
  const byFingerprint = ({ fingerprint }: IssuedCertificate): Trust => ({
    kind: 'fingerprints',
    fingerprints: [fingerprint],
  });

  it.each([
    ['an unknown server, with trust in a CA', byAuthority, 'stranger', [ELSEWHERE]],
    ['an unknown server, with trust in a fingerprint', byFingerprint, 'stranger', [ELSEWHERE]],
    ['another server of the same CA, with trust in a fingerprint', byFingerprint, 'sibling', [ELSEWHERE]],
    ['an unknown server first and then the array', byAuthority, 'stranger', [ELSEWHERE, HOME]],
  ] as const)('no byte is sent to the other address (%s)', async (_, trustOf, later, to) => {
    const { array, second, lead } = await moved(trustOf, later);
    lead(...to);
    const error = await failureOf(exchange(array, GET, {}, { repeatable: true }));
    expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false } });
    const { connections, text } = await reached(second);
    expect(text).toBe('');
    expect(connections).toBeGreaterThan(0);
  });

  it.each([
    ['has a certificate of the trusted CA', byAuthority, 'sibling'],
    ['has the certificate with the trusted fingerprint', byFingerprint, 'itself'],
  ] as const)('the client sends its request to the new address if the server there %s', async (_, trustOf, later) => {
    const { array, second, lead } = await moved(trustOf, later);
    lead(ELSEWHERE);
    expect((await exchange(array, GET)).status).toBe(200);
    expect((await reached(second)).text).toContain('GET /api/api_version');
  });
});
