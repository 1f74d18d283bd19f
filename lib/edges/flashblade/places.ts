/** Arrays and trusts as short strings, the keys of all that is kept for the next connection. */
import type { FlashBlade, Trust } from '../../ground/model.ts';
import { trustDigest } from '../../ground/trust.ts';
import { MAX_REMEMBERED, remember } from './recent.ts';

/** By PEM text: hashing it for every request would be a tenth of what a request costs. */
const authorityDigests = new Map<string, string>();

/** One string per array and trust: only connections that are equal in it may stand in for each other. */
export const placeOf = (array: FlashBlade): string => `${array.host} ${array.port} ${digestOf(array.trust)}`;

/** As `trustDigest`; an authority is hashed once, as long as it is remembered. */
export function digestOf(trust: Trust): string {
  if (trust.kind !== 'ca') return trustDigest(trust);
  const known = authorityDigests.get(trust.ca);
  if (known !== undefined) return known;
  const digest = trustDigest(trust);
  remember(authorityDigests, trust.ca, digest, MAX_REMEMBERED);
  return digest;
}
