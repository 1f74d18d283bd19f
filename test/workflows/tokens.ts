/** Finds tokens, and pieces of them, in what an execution told. */
import { tokensIn } from '../functions/secrecy.ts';

/** Shorter pieces of random tokens are also in random ids, sooner or later. */
const PIECE = 12;

const piecesOf = (token: string, length: number): string[] =>
  Array.from({ length: Math.max(0, token.length - length + 1) }, (_, at) => token.slice(at, at + length));

/** Those of the tokens that are in the text, plain, encoded or in part. `piece`: length of a part that gives a token away. */
export function toldTokens(text: string, tokens: readonly string[], piece = PIECE): string[] {
  const whole = tokensIn(text, tokens);
  const plain = text.toLowerCase();
  const partly = tokens.filter((token) => piecesOf(token.toLowerCase(), piece).some((part) => plain.includes(part)));
  return [...new Set([...whole, ...partly])];
}
