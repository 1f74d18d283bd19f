/** Parses JSON without changing the value of any number. */

/** What a `JSON.parse` callback receives besides the name and the value. `source`: the text of a number, string, boolean or null. */
type Context = { readonly source?: string };
type Reviver = (name: string, value: unknown, context: Context) => unknown;

// TypeScript does not declare these functions yet. Node.js 22 and later have them.
const { isRawJSON, parse, rawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver?: Reviver): unknown;
  rawJSON(text: string): object;
};

/**
 * Matches text that may contain a number that JavaScript would change: with an exponent, with 16 digits or more, or a negative zero. Most
 * text does not, and is parsed many times faster.
 */
const MAY_CHANGE = /(?:^|[[:,\s])-?(?:\d[\d.]*[eE]|[\d.]{16}|(?<=-)0)/;

/**
 * Parses JSON. A number that a JavaScript number would not write the same way becomes a `JSON.rawJSON` object, which `JSON.stringify` writes
 * unchanged. Throws like `JSON.parse`.
 */
export const parseExactJson = (text: string): unknown => parse(text, MAY_CHANGE.test(text) ? keepNumber : undefined);

const keepNumber: Reviver = (_, value, { source }) =>
  typeof value === 'number' && source !== undefined && source !== String(value) ? rawJSON(source) : value;

/** Whether a value is a number that `parseExactJson` has kept as text. */
export const isExactNumber = (value: unknown): boolean => isRawJSON(value);
