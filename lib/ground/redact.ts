/** Takes tokens out of text that an array chose, before anybody else sees it: an array may repeat any token that it has ever seen. */
import { readable } from './escapes.ts';
import type { ApiToken, AuthToken } from './model.ts';
import { apiTokensIn } from './token-shape.ts';

export type Tokens = readonly (ApiToken | AuthToken)[];

const ASCII = /^[\0-\x7f]*$/;

/** Part of a text that must not be told, and what is told in its place. */
type Secret = { readonly from: number; readonly to: number; readonly label: string };

/** The text without these tokens: in upper and lower case, and as JSON and URLs escape them. */
export function redact(text: string, tokens: Tokens): string {
  const fitting = tokens.filter((token) => token.reveal() !== '' && token.reveal().length <= text.length);
  if (fitting.length === 0) return text;
  const secrets = spellingsOf(text).flatMap(({ text: spelt, origin }) => {
    const lower = lowerCase(spelt);
    return fitting.flatMap((token) =>
      rangesOf(lower, lowerCase(token.reveal())).map(([from, to]) => secret(origin(from), origin(to), String(token))),
    );
  });
  return without(text, secrets);
}

/** The text without anything that looks like an API token, whosever and however old: `T-` and a UUID. */
export const redactApiTokens = (text: string): string =>
  without(
    text,
    spellingsOf(text).flatMap(({ text: spelt, origin }) =>
      apiTokensIn(spelt).map(([from, to]) => secret(origin(from), origin(to), '[API token]')),
    ),
  );

/** A copy of a JSON value in which all texts are changed, the names of its fields included. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [change(name), mapTexts(inner, change)]));
}

const secret = (from: number, to: number, label: string): Secret => ({ from, to, label });

/** As it is, and as it reads without escapes. */
function spellingsOf(text: string): { readonly text: string; readonly origin: (index: number) => number }[] {
  const asItIs = { text, origin: (index: number) => index };
  const read = readable(text);
  return read.text === text ? [asItIs] : [asItIs, read];
}

// Letters of other alphabets may get longer, which would move what stands behind them.
const lowerCase = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

function rangesOf(text: string, part: string): (readonly [from: number, to: number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    ranges.push([at, at + part.length]);
  }
  return ranges;
}

/** One token may be a part of another, and two may overlap: what is left of either would tell the rest. */
function without(text: string, secrets: readonly Secret[]): string {
  if (secrets.length === 0) return text;
  let [told, end] = ['', 0];
  for (const { from, to, label } of secrets.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    if (from >= end) told += text.slice(end, from) + label;
    end = Math.max(end, to);
  }
  return told + text.slice(end);
}
