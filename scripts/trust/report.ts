/** What a look at a server found, and what it means for the array's secret. */
import { known } from '../../lib/core/errors.ts';
import type { FlashBlade, Trust } from '../../lib/core/model.ts';
import { type CertificateFacts, factsOf, fingerprintOf } from './certificate.ts';
import type { Address, Presented } from './look.ts';
import { verify } from './verify.ts';

export type Report = Address & {
  readonly protocol: string;
  /** The server's own certificate first. */
  readonly chain: readonly CertificateFacts[];
  /** `reason`: why not, as OpenSSL or Node name it. */
  readonly publicAuthorities: { readonly accepted: boolean; readonly reason?: string };
};

/** `now` in milliseconds since the epoch. */
export const reportOf = (address: Address, { chain, protocol, publicRefusal }: Presented, now: number): Report => ({
  ...address,
  protocol,
  chain: chain.map((certificate) => factsOf(certificate, now)),
  publicAuthorities: publicRefusal === undefined ? { accepted: true } : { accepted: false, reason: publicRefusal },
});

/** What to believe if the certificate is the array's: public authorities where they accept it, else its fingerprint. */
export const trustFor = ({ chain: [own], publicRefusal }: Presented): Trust =>
  publicRefusal === undefined ? { kind: 'public' } : { kind: 'fingerprints', fingerprints: [fingerprintOf(own)] };

/** Why the functions would refuse the array under this trust; undefined if they would not. */
export async function refusalOf(array: FlashBlade): Promise<string | undefined> {
  try {
    await verify(array);
    return undefined;
  } catch (error) {
    return known(error).message;
  }
}
