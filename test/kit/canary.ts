/** Tokens that are easy to find: no eight-character piece of one occurs anywhere by chance. */
import { createHash } from 'node:crypto';

/** The length of a piece that counts as a leak. */
export const PIECE = 8;

/** No vowels, so no words. No hex digits, so no ids. */
const LETTERS = 'gjkmnpqrtvwxyz';
/** Never part of an id, a number or base64, and part of every piece. JSON and URLs do not escape it. */
const MARK = '~';
const GROUPS = 5;

/**
 * Returns the canary with this number: always the same, and unlike every other. It consists of groups of seven letters separated by a
 * mark. Every piece of eight characters has one mark and seven letters; random text (hex, base64, digits, hyphens) has no mark.
 */
export function canary(number: number): string {
  const bytes = [...createHash('sha512').update(`canary ${number}`).digest()];
  const groups = Array.from({ length: GROUPS }, (_, group) =>
    bytes.slice(group * PIECE + 1, (group + 1) * PIECE).map((byte) => LETTERS[byte % LETTERS.length]),
  );
  return groups.map((letters) => letters.join('')).join(MARK);
}

const CANARY = new RegExp(`^[${LETTERS}]{7}(${MARK}[${LETTERS}]{7}){${GROUPS - 1}}$`);

export const isCanary = (token: string): boolean => CANARY.test(token);

/** Returns a generator of consecutive canaries: the tokens of a deployment. */
export function canaries(first = 0): () => string {
  let next = first;
  return () => canary(next++);
}
