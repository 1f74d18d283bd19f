/** Finds the place where a text stops being JSON. The parser's own error is of no use, because it quotes the text. */

const SPACE = '[ \\t\\r\\n]*';
const IN_STRING = '(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[\\dA-Fa-f]{4}))*';
const STRING = `"${IN_STRING}"`;
const SCALAR = `true|false|null|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?(?![\\w.+-])|${STRING}`;
/** What may come next. `item` and `field` may also end the list or object that has just begun. */
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

/** Returns where JSON text is invalid, and the likely mistake, worded to follow `is not JSON`. The text must not be valid JSON. */
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

/** Returns the next character after spaces or, if that begins a string that may be here, the character that cannot be part of it. */
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
  if (/[/#]/.test(character)) return 'JSON has no comments';
  if (character === '\\') return 'Remove the backslash, or write it twice';
  return /^\s*[[{]/.test(text) ? undefined : 'It must begin with {';
}
