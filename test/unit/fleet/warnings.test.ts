import { describe, expect, it } from 'vitest';
import { apiTokenWarnings, certificateWarnings, idleWarnings } from '../../../lib/fleet/check-array.ts';
import { unknownWarnings } from '../../../lib/fleet/compare-sessions.ts';

describe('the warnings about an array', () => {
  it('a certificate of the chain that expires within 30 days causes a warning', () => {
    expect(certificateWarnings(30)).toEqual([]);
    expect(certificateWarnings(29)).toEqual([
      "the array's certificate, or a CA certificate in its chain, expires in 29 days. Renew the certificate. If the secret trusts fingerprints or a private CA, first add the new fingerprint or CA to the secret",
    ]);
  });

  it('an API token that expires within 14 days causes a warning', () => {
    expect(apiTokenWarnings(14, 'pureuser')).toEqual([]);
    expect(apiTokenWarnings(13, 'pureuser')).toEqual([
      'the API token for user pureuser expires in 13 days. Create a new token and store it in the secret',
    ]);
  });

  it.each([
    [0, 'the idle timeout is 0 (never), so a session that cannot be closed stays open. Set an idle timeout'],
    [
      899,
      'the idle timeout is 899 s, which is shorter than the default lease, so a session may end before its lease does. Set a longer timeout',
    ],
    [900, undefined],
    [1800, undefined],
    [
      1801,
      'the idle timeout is 1801 s, but ARRAY_IDLE_SECONDS is 1800. Set ARRAY_IDLE_SECONDS to the longest idle timeout in the fleet',
    ],
  ])('an idle timeout of %i s causes a warning only if it does not fit', (idleSeconds, warning) => {
    expect(idleWarnings(idleSeconds, 1800)).toEqual(warning === undefined ? [] : [warning]);
  });

  it('sessions that the ledger does not know cause a warning', () => {
    expect(unknownWarnings(0, 'pureuser')).toEqual([]);
    expect(unknownWarnings(1, 'pureuser')).toEqual([
      "1 active REST session for user pureuser is not in the ledger. Find out who else uses this user's API token",
    ]);
    expect(unknownWarnings(2, 'pureuser')).toEqual([
      "2 active REST sessions for user pureuser are not in the ledger. Find out who else uses this user's API token",
    ]);
  });
});
