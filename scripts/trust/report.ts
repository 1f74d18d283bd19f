/** Describes a server's certificate and the trust settings that the array's secret needs. */
import { known } from '../../lib/core/errors.ts';
import type { FlashBlade, Trust } from '../../lib/core/model.ts';
import { type CertificateFacts, factsOf, fingerprintOf } from './certificate.ts';
import type { Address, Presented } from './look.ts';
import { verify } from './verify.ts';

export type Report = Address & {
  readonly protocol: string;
  /** The server's own certificate first. */
  readonly chain: readonly CertificateFacts[];
  /** `reason` says why the certificate is not publicly trusted. */
  readonly publicAuthorities: { readonly accepted: boolean; readonly reason?: string };
};

/** `now` is in milliseconds since the epoch. */
export const reportOf = (address: Address, { chain, protocol, publicRefusal }: Presented, now: number): Report => ({
  ...address,
  protocol,
  chain: chain.map((certificate) => factsOf(certificate, now)),
  publicAuthorities: publicRefusal === undefined ? { accepted: true } : { accepted: false, reason: publicRefusal },
});

/** Returns the trust settings for a confirmed certificate: `public` if it is publicly trusted, otherwise its fingerprint. */
export const trustFor = ({ chain: [own], publicRefusal }: Presented): Trust =>
  publicRefusal === undefined ? { kind: 'public' } : { kind: 'fingerprints', fingerprints: [fingerprintOf(own)] };

/** Returns the reason why the functions would refuse the array with its trust settings, or undefined if they would accept it. */
export async function refusalOf(array: FlashBlade): Promise<string | undefined> {
  try {
    await verify(array);
    return undefined;
  } catch (error) {
    return known(error).message;
  }
}
