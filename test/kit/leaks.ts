/** Finds tokens in text, in any encoding. For canaries, finds every eight-character piece. */
import type { Simulator } from '../../simulator/index.ts';
import { isCanary, PIECE } from './canary.ts';

const MIN_TOKEN = 16;

/** Bytes as `JSON.stringify` or `console.log` writes them. */
const NUMBERS = /\b\d{1,3}(?:,\s*\d{1,3}){7,}/g;
const GAPPED_HEX = /\b[0-9a-f]{2}(?:[ :-][0-9a-f]{2}){7,}/gi;
/** One character in JSON, JavaScript, a URL or HTML, escaped one or more times. */
const ESCAPED = /\\+u\{?0*([0-9a-f]{2})\}?|\\+x([0-9a-f]{2})|%(?:25)*([0-9a-f]{2})|&(?:amp;)*#x0*([0-9a-f]{2});/gi;
const ESCAPES_IN_ESCAPES = 3;

/** Returns the text in lowercase and in one base64 alphabet, without escapes or backslashes. */
function plain(text: string): string {
  let read = text
    .replace(NUMBERS, (list) => Buffer.from(list.split(',').map(Number)).toString('latin1'))
    .replace(GAPPED_HEX, (bytes) => bytes.replace(/[ :-]/g, ''));
  for (let round = 0; round < ESCAPES_IN_ESCAPES; round++) {
    read = read.replace(ESCAPED, (_, ...codes: (string | undefined)[]) =>
      String.fromCharCode(Number.parseInt(codes.slice(0, 4).find((code) => code !== undefined) ?? '', 16)),
    );
  }
  return read.replaceAll('\\', '').replaceAll('+', '-').replaceAll('/', '_').toLowerCase();
}

/** Returns a text's base64 forms at every byte offset, without the characters that depend on neighboring bytes. */
const base64Of = (text: string): string[] =>
  [0, 1, 2].map((shift) => {
    const whole = Buffer.from('\0'.repeat(shift) + text).toString('base64url');
    return whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + text.length) * 8) / 6)).toLowerCase();
  });

const windowsOf = (text: string, length: number): string[] =>
  Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length));

/** A cache, because tests search for the same canaries many times. */
const KNOWN_SHAPES = new Map<string, readonly string[]>();

function shapesOf(token: string): readonly string[] {
  const shapes = KNOWN_SHAPES.get(token) ?? [...new Set(newShapesOf(token))];
  KNOWN_SHAPES.set(token, shapes);
  return shapes;
}

/** Any text with the token, or with a piece of a canary, contains one of these shapes: 8 characters, 16 in hex, at least 10 in base64. */
function newShapesOf(token: string): string[] {
  const cut = (text: string, length: number): string[] => (isCanary(token) ? windowsOf(text, length) : [text]);
  const written = [...new Set([token, token.toLowerCase(), token.toUpperCase()])];
  return [
    ...cut(plain(token), PIECE),
    ...written.flatMap((text) => cut(Buffer.from(text).toString('hex'), 2 * PIECE)),
    ...written.flatMap(base64Of).flatMap((text) => cut(text, Math.floor((8 * PIECE - 4) / 6))),
  ];
}

export type Find = (text: string) => string[];

/**
 * Finds which tokens are in a text. A piece of a canary is enough. Other tokens must appear in full, because pieces of them can occur in
 * random ids. Throws if a token is too short.
 */
export function finderOf(tokens: readonly string[]): Find {
  if (tokens.some(({ length }) => length < MIN_TOKEN)) throw new Error('A token this short would be found everywhere');
  const tokenOf = new Map(tokens.flatMap((token) => shapesOf(token).map((shape) => [shape, token])));
  const passes = [...Map.groupBy(tokenOf.keys(), ({ length }) => length)].map(([length, shapes]) => ({
    length,
    runs: runsOf(shapes, length),
  }));
  return (text) => {
    const read = plain(text);
    const found = new Set<string | undefined>();
    for (const { length, runs } of passes) {
      for (const [run] of read.matchAll(runs)) for (const part of windowsOf(run, length)) found.add(tokenOf.get(part));
    }
    return tokens.filter((token) => found.has(token));
  };
}

/** Returns the tokens that are in the text. */
export const tokensIn = (text: string, tokens: readonly string[]): string[] => finderOf(tokens)(text);

/** An array's current API tokens, and its current and former auth tokens. */
export const tokensOf = ({ users, history }: Pick<Simulator, 'users' | 'history'>): string[] => [
  ...users.map(({ apiToken }) => apiToken),
  ...history.map(({ authToken }) => authToken),
];

/** Returns the places where the text contains a token. */
export const leaksIn = (texts: Readonly<Record<string, string>>, find: Find): string[] =>
  Object.entries(texts).flatMap(([where, text]) => (find(text).length > 0 ? [where] : []));

/** Matches the parts of a text that can contain a shape of this length. All other parts are skipped. */
function runsOf(shapes: readonly string[], length: number): RegExp {
  const characters = [...new Set(shapes.join(''))].map((one) => one.replace(/[\]^-]/, '\\$&'));
  return new RegExp(`[${characters.join('')}]{${length},}`, 'g');
}
