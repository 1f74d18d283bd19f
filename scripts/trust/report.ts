/** Describes the certificate of a server, and what it means for the array's secret. */
import { known } from '../../lib/core/errors.ts';
import type { FlashBlade, Trust } from '../../lib/core/model.ts';
import { type CertificateFacts, factsOf, fingerprintOf } from './certificate.ts';
import type { Address, Presented } from './look.ts';
import { verify } from './verify.ts';

export type Report = Address & {
  readonly protocol: string;
  /** The server's own certificate first. */
  readonly chain: readonly CertificateFacts[];
  /** `reason`: the error of OpenSSL or Node if they do not accept it. */
  readonly publicAuthorities: { readonly accepted: boolean; readonly reason?: string };
};

/** `now` in milliseconds since the epoch. */
export const reportOf = (address: Address, { chain, protocol, publicRefusal }: Presented, now: number): Report => ({
  ...address,
  protocol,
  chain: chain.map((certificate) => factsOf(certificate, now)),
  publicAuthorities: publicRefusal === undefined ? { accepted: true } : { accepted: false, reason: publicRefusal },
});

/** The trust for a confirmed certificate: public authorities if they accept it, otherwise its fingerprint. */
export const trustFor = ({ chain: [own], publicRefusal }: Presented): Trust =>
  publicRefusal === undefined ? { kind: 'public' } : { kind: 'fingerprints', fingerprints: [fingerprintOf(own)] };

/** The reason for which the functions would refuse the array under this trust, or undefined if they would accept it. */
export async function refusalOf(array: FlashBlade): Promise<string | undefined> {
  try {
    await verify(array);
    return undefined;
  } catch (error) {
    return known(error).message;
  }
}
