/** Takes tokens out of text that an array chose, before anybody else sees it: an array may repeat any token that it has ever seen. */
import type { ApiToken, AuthToken } from './model.ts';

export type Tokens = readonly (ApiToken | AuthToken)[];

/** What JSON, or JSON in JSON, puts before what it escapes. Bounded: an array must not make a search take long. */
const BACKSLASHES = '\\\\{1,8}';
const ESCAPES = /[\\%]/;
/** A token of any other character is sought unescaped only. */
const USUAL = /^[\w.~+/=-]+$/;

/** Making one takes far longer than using it on a short text, and a body may have many texts. */
const searches = new WeakMap<ApiToken | AuthToken, RegExp>();

const HEX_DIGIT = spelt('[0-9a-f]', '3\\d|[46][1-6]');
const GROUPS = [8, 4, 4, 4, 12].map((digits) => `${HEX_DIGIT}{${digits}}`);
const API_TOKEN = new RegExp(`${spellingsOf('T')}${spellingsOf('-')}${GROUPS.join(spellingsOf('-'))}`, 'gi');

/** The text without these tokens: in upper and lower case, and as JSON and URLs escape them. */
export function redact(text: string, tokens: Tokens): string {
  const fitting = tokens.filter((token) => token.reveal() !== '' && token.reveal().length <= text.length);
  if (fitting.length === 0) return text;
  const lower = text.toLowerCase();
  const escapes = ESCAPES.test(text);
  return (
    fitting
      .filter((token) => escapes || lower.includes(token.reveal().toLowerCase()))
      // One may be a part of the other: what is left of that would tell the rest.
      .toSorted((a, b) => b.reveal().length - a.reveal().length)
      .reduce((rest, token) => rest.replace(searchFor(token), String(token)), text)
  );
}

/** The text without anything that looks like an API token (token-shape.ts), whosever and however old. */
export const redactApiTokens = (text: string): string =>
  text.replace(API_TOKEN, (found, at: number) => (endsWord(text.charAt(at - 1), found) ? found : '[API token]'));

/** `snapshot-` and a UUID is the name of something. */
const endsWord = (before: string, found: string): boolean =>
  found.startsWith('T') ? /[A-Z]/.test(before) : found.startsWith('t') && /[A-Za-z0-9]/.test(before);

/** A copy of a JSON value in which all texts are changed, the names of its fields included. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [change(name), mapTexts(inner, change)]));
}

function searchFor(token: ApiToken | AuthToken): RegExp {
  const value = token.reveal();
  const search =
    searches.get(token) ?? new RegExp([...value].map(USUAL.test(value) ? spellingsOf : literally).join(''), 'gi');
  searches.set(token, search);
  return search;
}

function spellingsOf(character: string): string {
  const codes = new Set([character.toLowerCase(), character.toUpperCase()].map(hexOf));
  const escaped = character === '/' ? `${BACKSLASHES}/|` : '';
  return spelt(`${escaped}${literally(character)}`, [...codes].join('|'));
}

/** A text is one of these in one way only: a search never has to try another. */
function spelt(literal: string, codes: string): string {
  return `(?:${literal}|${BACKSLASHES}u00(?:${codes})|%(?:25){0,2}(?:${codes}))`;
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}

function literally(character: string): string {
  return character.replace(/\W/g, '\\$&');
}
