/** Tokens made for being found: no piece of eight characters of one is anywhere by chance. */
import { createHash } from 'node:crypto';

/** The length of a piece that gives a token away. */
export const PIECE = 8;

/** No vowel, so no word; no hex digit, so no id. */
const LETTERS = 'gjkmnpqrtvwxyz';
/** In no id, no number, no base64; one is in every piece. JSON and URLs leave it as it is, and so every encoding of them. */
const MARK = '~';
const GROUPS = 5;

/**
 * The canary of this number: always the same, and like no other. Groups of seven letters with a mark between them: a piece of eight has
 * one mark and seven letters of fourteen, and whatever is random (hex, base64, digits, hyphens) has no mark.
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

/** Canaries one after the other: the tokens of a deployment. */
export function canaries(first = 0): () => string {
  let next = first;
  return () => canary(next++);
}
