/** Parses JSON, with exact numbers if needed, and finds the error in invalid JSON. */

/** Parses JSON. Returns undefined for invalid JSON instead of throwing, because the parser's error quotes the text. */
export function parseJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** The third argument of a `JSON.parse` callback. `source` is the original text of a number, string, boolean or null. */
type Context = { readonly source?: string };
type Reviver = (name: string, value: unknown, context: Context) => unknown;

// TypeScript does not declare these functions yet. Node.js 22 and later have them.
const { isRawJSON, parse, rawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver?: Reviver): unknown;
  rawJSON(text: string): object;
};

/**
 * Matches text that may contain a number that JavaScript would change: one with an exponent, one with 16 or more digits, or negative zero.
 * Other text is parsed without a callback, which is many times faster.
 */
const MAY_CHANGE = /(?:^|[[:,\s])-?(?:\d[\d.]*[eE]|[\d.]{16}|(?<=-)0)/;

/**
 * Parses JSON. A number that JavaScript would write differently becomes a `JSON.rawJSON` object, which `JSON.stringify` writes unchanged.
 * Throws the same errors as `JSON.parse`, which quote the text.
 */
export const parseExactJson = (text: string): unknown => parse(text, MAY_CHANGE.test(text) ? keepNumber : undefined);

const keepNumber: Reviver = (_, value, { source }) =>
  typeof value === 'number' && source !== undefined && source !== String(value) ? rawJSON(source) : value;

/** Returns true if a value is a number that `parseExactJson` kept as text. */
export const isExactNumber = (value: unknown): boolean => isRawJSON(value);

const SPACE = '[ \\t\\r\\n]*';
const IN_STRING = '(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[\\dA-Fa-f]{4}))*';
const STRING = `"${IN_STRING}"`;
const SCALAR = `true|false|null|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?(?![\\w.+-])|${STRING}`;
/** Creates the patterns for what may come next. `item` and `field` also match the end of the list or object that has just begun. */
const patterns = () => ({
  value: new RegExp(`${SPACE}(${SCALAR}|[[{])`, 'y'),
  item: new RegExp(`${SPACE}(${SCALAR}|[[{\\]])`, 'y'),
  name: new RegExp(`${SPACE}(${STRING})`, 'y'),
  field: new RegExp(`${SPACE}(${STRING}|})`, 'y'),
  colon: new RegExp(`${SPACE}(:)`, 'y'),
  afterItem: new RegExp(`${SPACE}([,\\]])`, 'y'),
  afterField: new RegExp(`${SPACE}([,}])`, 'y'),
  end: new RegExp(`${SPACE}($)`, 'y'),
});

const TAKES_STRING: readonly string[] = ['value', 'item', 'name', 'field'];

/**
 * Returns the position of the error in invalid JSON, and the likely mistake, worded to follow `is not valid JSON`. Never quotes the text.
 * Do not call this function with valid JSON.
 */
export function jsonFault(text: string): string {
  const at = faultIndex(text);
  const lines = text.slice(0, at).split('\n');
  const place = ` at line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`;
  const mistake = mistakeAt(text, at);
  return mistake === undefined ? place : `${place}. ${mistake}`;
}

/** Returns the index of the first character that cannot continue the text as JSON. */
export function faultIndex(text: string): number {
  const open: string[] = [];
  const NEXT = patterns();
  let next: keyof typeof NEXT = 'value';
  let at = 0;
  for (;;) {
    const pattern: RegExp = NEXT[next];
    pattern.lastIndex = at;
    const token = pattern.exec(text)?.[1];
    if (token === undefined || next === 'end') return placeOf(text, at, TAKES_STRING.includes(next));
    at = pattern.lastIndex;
    const isName = next === 'name' || next === 'field';
    if (token === '{' || token === '[') {
      open.push(token);
      next = token === '{' ? 'field' : 'item';
    } else if (token === ',') next = open.at(-1) === '{' ? 'name' : 'value';
    else if (token === ':') next = 'value';
    else if (isName && token !== '}') next = 'colon';
    else {
      if (token === '}' || token === ']') open.pop();
      next = open.length === 0 ? 'end' : open.at(-1) === '{' ? 'afterField' : 'afterItem';
    }
  }
}

/**
 * Returns the index of the first character that is not white space. If a string is allowed there and that character begins one, returns the
 * index of the first character that cannot be part of the string.
 */
function placeOf(text: string, from: number, takesString: boolean): number {
  const start = from + (/^[ \t\r\n]*/.exec(text.slice(from))?.[0].length ?? 0);
  const begun = new RegExp(`^"${IN_STRING}`).exec(text.slice(start))?.[0];
  return takesString && begun !== undefined ? start + begun.length : start;
}

function mistakeAt(text: string, at: number): string | undefined {
  const character = text[at];
  if (text.trim() === '') return 'It is empty';
  if (text.startsWith('\ufeff')) return 'It begins with a byte order mark. Save it as UTF-8 without one';
  if (character === undefined) return 'It ends too early. A quotation mark or a bracket is missing';
  if (/[\n\r\t]/.test(character)) return 'In a string, write a line break as \\n';
  if (/['`\u2018-\u201f]/.test(character)) return 'Use straight double quotation marks';
  if (/[}\]]/.test(character) && /,\s*$/.test(text.slice(0, at))) return 'Remove the comma before the bracket';
  if (/[/#]/.test(character)) return 'JSON does not allow comments';
  if (character === '\\') return 'Remove the backslash, or write it twice';
  return /^\s*[[{]/.test(text) ? undefined : 'It must begin with {';
}
