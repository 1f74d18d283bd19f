import { describe, expect, it } from 'vitest';
import {
  apiTokenWarnings,
  certificateWarnings,
  idleWarnings,
  unknownWarnings,
} from '../../lib/ground/fleet-warnings.ts';

describe('somebody is warned', () => {
  it('of a certificate that ends within 30 days, whosever in the chain', () => {
    expect(certificateWarnings(30)).toEqual([]);
    expect(certificateWarnings(29)).toEqual([
      'its certificate, or that of an authority behind it, ends in 29 days: renew it; if the secret trusts fingerprints or a private authority, put the next one beside it first',
    ]);
  });

  it('of an API token that ends within 14 days', () => {
    expect(apiTokenWarnings(14, 'pureuser')).toEqual([]);
    expect(apiTokenWarnings(13, 'pureuser')).toEqual([
      'the API token of user pureuser ends in 13 days: make a new one and put it into the secret',
    ]);
  });

  it.each([
    [0, 'its idle time-out is 0, never: a session that nobody can close would stay; set one'],
    [
      899,
      'its idle time-out is 899 s, shorter than a lease: a session may end before its lease does; set a longer one',
    ],
    [900, undefined],
    [1800, undefined],
    [1801, 'its idle time-out is 1801 s, and ARRAY_IDLE_SECONDS is 1800: set that to the longest of the fleet'],
  ])('of an idle time-out that does not fit (%i s)', (idleSeconds, warning) => {
    expect(idleWarnings(idleSeconds, 1800)).toEqual(warning === undefined ? [] : [warning]);
  });

  it('of sessions that the ledger does not know', () => {
    const rest = 'of user pureuser that the ledger does not know: find out who else uses its API token';
    expect(unknownWarnings(0, 'pureuser')).toEqual([]);
    expect(unknownWarnings(1, 'pureuser')).toEqual([`1 active REST session ${rest}`]);
    expect(unknownWarnings(2, 'pureuser')).toEqual([`2 active REST sessions ${rest}`]);
  });
});
