/** Where sessions are opened and closed: arrays of the bench's server, and the stand-ins for AWS. */
import type { FlashBlade } from '../../../lib/core/model.ts';

export type LedgerPlace = {
  /** Variables of the AWS SDK. */
  readonly env: Readonly<Record<string, string>>;
  /** ARN of the key that seals auth tokens. */
  readonly keyArn: string;
  /** One array behind each. */
  readonly ports: readonly number[];
  /** PEM text of the authority behind their certificate. */
  readonly ca: string;
};

export const HOST = '127.0.0.1';

/** The first `count` arrays. */
export const arraysOf = ({ ports, ca }: LedgerPlace, count: number): FlashBlade[] =>
  ports.slice(0, count).map((port, nth) => ({ name: `fb${nth + 1}`, host: HOST, port, trust: { kind: 'ca', ca } }));

/** One of them for each piece of work, in turn. Throws if there is none. */
export function inTurn<T>(items: readonly T[], nth: number): T {
  const item = items[nth % items.length];
  if (item === undefined) throw new Error('there is nothing to take turns with');
  return item;
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, nth) => nth);
