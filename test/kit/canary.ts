/** Tokens that are easy to find. No eight-character piece of a canary occurs elsewhere by chance. */
import { createHash } from 'node:crypto';

/** The length of the shortest piece that is reported as a leak. */
export const PIECE = 8;

/** Contains no vowels, which rules out words, and no hex digits, which rules out ids. */
const LETTERS = 'gjkmnpqrtvwxyz';
/** Part of every piece, but never part of an id, a number or base64. JSON and URLs do not escape this character. */
const MARK = '~';
const GROUPS = 5;

/**
 * Returns the canary with this number. The same number always returns the same canary, and every canary is different. A canary is a
 * series of seven-letter groups separated by marks, so every eight-character piece contains a mark. Random text (hex, base64, digits,
 * hyphens) contains none.
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

/** Returns a function that generates consecutive canaries, for use as a deployment's tokens. */
export function canaries(first = 0): () => string {
  let next = first;
  return () => canary(next++);
}
