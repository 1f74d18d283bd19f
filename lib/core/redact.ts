/**
 * Finds and removes tokens in text, even escaped ones. Arrays can repeat any token that they have ever received, so text from an array is
 * redacted before it is returned or logged. A session's own tokens are redacted everywhere. Anything else that looks like an API token is
 * redacted wherever it cannot be legitimate data.
 */
import { isExactNumber } from './json.ts';
import type { ApiToken, AuthToken } from './model.ts';

export type Tokens = readonly (ApiToken | AuthToken)[];

/** A range of text and its replacement. */
type Match = { readonly from: number; readonly to: number; readonly label: string };

/** Replaces these tokens with their labels. Ignores case, and also finds tokens that contain JSON or URL escapes. */
export function redact(text: string, tokens: Tokens): string {
  const candidates = tokens.filter((token) => token.reveal() !== '' && token.reveal().length <= text.length);
  if (candidates.length === 0) return text;
  return replaceMatches(text, (spelling) => {
    const lower = lowerCase(spelling);
    return candidates.flatMap((token) => matchesOf(lower, lowerCase(token.reveal()), String(token)));
  });
}

/** Replaces everything that looks like an API token (`T-` followed by a UUID), whether known or not. */
export const redactApiTokens = (text: string): string =>
  replaceMatches(text, (spelling) =>
    Array.from(spelling.matchAll(API_TOKENS), ({ 0: found, index }) => ({
      from: index,
      to: index + found.length,
      label: '[API token]',
    })),
  );

/** Copies a JSON value and applies `change` to every string in it, including field names. Keeps exact numbers. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [change(name), mapTexts(inner, change)]));
}

// Only the following patterns define what an API token looks like.

const HEX = '[0-9A-Fa-f]';
const UUID = `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`;
// The last T in "export-<UUID>" or "REPORT-<UUID>" does not start a token.
const API_TOKEN = `(?:(?<![A-Z])T|(?<![A-Za-z0-9])t)-${UUID}`;
const API_TOKENS = new RegExp(API_TOKEN, 'g');
const WITH_API_TOKEN = new RegExp(API_TOKEN);
const WITH_UUID = new RegExp(UUID);
const BARE_UUID = new RegExp(`^${UUID}$`);
const UUIDS = new RegExp(`(?:[Tt]-)?${UUID}`, 'g');
// In a host, any T may start a token, because no array is named REPORT-<UUID>.
const HOST_WITH_API_TOKEN = new RegExp(`T-${UUID}|${API_TOKEN}`);
const HEX_LABEL = /^(?:t-?)?[0-9a-f-]{32,}$/i;

/** The rule for names, worded to follow a field name: `leaseId must not …`. */
export const NO_API_TOKEN = 'must not contain anything that looks like an API token';

/**
 * Returns true if the text contains `T-` followed by a UUID, even with JSON or URL escapes. Returns false for a bare UUID, which can be a
 * legitimate lease id or owner.
 */
export const containsApiToken = (text: string): boolean =>
  WITH_API_TOKEN.test(text) || WITH_API_TOKEN.test(readable(text).text);

/** Returns true if the text is just a UUID, which is the format of newer API tokens. */
export const isBareUuid = (text: string): boolean => BARE_UUID.test(text);

/** Replaces each API token (`T-` followed by a UUID) with `mask`. Does not find escaped tokens. */
export const maskApiTokens = (text: string, mask: string): string => text.replaceAll(API_TOKENS, mask);

/** Replaces each UUID, and any `T-` before it, with `mask`. Use this only for output where hiding an id does no harm. */
export const maskUuids = (text: string, mask: string): string => text.replaceAll(UUIDS, mask);

/**
 * Returns true if a host, with or without a port, is probably an API token. Such a host contains `T-` followed by a UUID, or is a single
 * label that either contains a UUID or consists of 32 or more hex digits and hyphens. A UUID in a longer DNS name is accepted, because
 * cloud providers use such host names.
 */
export function isHostLikeApiToken(host: string): boolean {
  const name = host.replace(/:\d*$/, '').replaceAll(/^\.+|\.+$/g, '');
  if (HOST_WITH_API_TOKEN.test(name) || HEX_LABEL.test(name)) return true;
  return !name.includes('.') && WITH_UUID.test(name);
}

/** Replaces every match that `find` returns for the text or its unescaped form. */
function replaceMatches(text: string, find: (spelling: string) => readonly Match[]): string {
  const matches = [...find(text)];
  const decoded = readable(text);
  if (decoded.text !== text) {
    for (const { from, to, label } of find(decoded.text)) {
      matches.push({ from: decoded.origin(from), to: decoded.origin(to), label });
    }
  }
  if (matches.length === 0) return text;
  // Tokens can contain or overlap each other. Text inside any match is always removed.
  let [result, end] = ['', 0];
  for (const { from, to, label } of matches.sort((a, b) => a.from - b.from || b.to - a.to)) {
    if (from >= end) result += text.slice(end, from) + label;
    end = Math.max(end, to);
  }
  return result + text.slice(end);
}

function matchesOf(text: string, part: string, label: string): Match[] {
  const matches: Match[] = [];
  for (let from = text.indexOf(part); from >= 0; from = text.indexOf(part, from + part.length)) {
    matches.push({ from, to: from + part.length, label });
  }
  return matches;
}

const ASCII = /^[\0-\x7f]*$/;

// Some non-ASCII letters become longer when they are lowercased, which would shift every later position.
const lowerCase = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

// JSON inside JSON doubles the backslashes, and a URL inside a URL escapes the percent sign as %25. Nesting beyond these limits is not
// decoded.
const MAX_BACKSLASHES = 8;
const MAX_NESTED_PERCENT = 2;
const ESCAPE = /[\\%]/;
const ESCAPES = new RegExp(ESCAPE, 'g');
const CONTROL = /[bfnrt]/;
const WORD = /\w/;

/**
 * Decodes JSON and URL escapes: `\u00XX`, `\/` and other escaped punctuation, and `%XX`. An escape such as `\n` becomes a space. Keeps a
 * backslash that escapes nothing. Decoding takes a single pass, so no input can slow it down.
 *
 * `origin(n)` maps a position in the result to the corresponding position in the original. The end of the result maps to the end of the
 * original.
 */
function readable(original: string): { readonly text: string; readonly origin: (index: number) => number } {
  if (!ESCAPE.test(original)) return { text: original, origin: (index) => index };
  const origins = new Uint32Array(original.length + 1);
  let text = '';
  let at = 0;
  const take = (characters: string, next: number): void => {
    const length = text.length;
    for (let n = 0; n < characters.length; n++) origins[length + n] = at + n;
    text += characters;
    at = next;
  };
  for (const { index } of original.matchAll(ESCAPES)) {
    // The previous escape already included this character.
    if (index < at) continue;
    take(original.slice(at, index), index);
    take(...characterAt(original, at));
  }
  take(original.slice(at), original.length);
  origins[text.length] = original.length;
  return { text, origin: (index) => origins[index] as number };
}

/** Returns the character that the escape at this position represents, and the position after the escape. */
function characterAt(text: string, at: number): [character: string, next: number] {
  const here = text.charAt(at);
  if (here === '%') {
    let from = at + 1;
    for (let nested = 0; nested < MAX_NESTED_PERCENT && text.startsWith('25', from); nested++) from += 2;
    return hexAt(text, from) ?? (from > at + 1 ? [here, at + 3] : [here, at + 1]);
  }
  let end = at;
  while (end < text.length && end - at < MAX_BACKSLASHES && text[end] === '\\') end += 1;
  const escaped = text.charAt(end);
  if (escaped === 'u' && text.startsWith('00', end + 1)) return hexAt(text, end + 3) ?? [here, at + 1];
  if (CONTROL.test(escaped)) return [' ', end + 1];
  return escaped === '' || escaped === '\\' || WORD.test(escaped) ? [here, at + 1] : [escaped, end + 1];
}

function hexAt(text: string, at: number): [character: string, next: number] | undefined {
  const digits = text.slice(at, at + 2);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? [String.fromCharCode(Number.parseInt(digits, 16)), at + 2] : undefined;
}
