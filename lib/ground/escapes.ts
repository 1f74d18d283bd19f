/** Text as it reads without the escapes of JSON and URLs. In one pass: who chose the text must not make it take long. */

/** `origin(n)`: where the character `n` of `text` stands in the original, or the end of that for the length of `text`. */
export type Readable = { readonly text: string; readonly origin: (index: number) => number };

/** JSON in JSON doubles backslashes, and a URL in a URL writes %25 for a percent sign: so deep and no deeper. */
const MAX_BACKSLASHES = 8;
const ESCAPE = /[\\%]/;
const CONTROL = /[bfnrt]/;
const WORD = /\w/;

/**
 * Resolves `\u00XX`, `\/` and other escaped signs, and `%XX`. Escapes such as `\n` become a space. A backslash that escapes nothing stays.
 */
export function readable(original: string): Readable {
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
  for (const { index } of original.matchAll(new RegExp(ESCAPE, 'g'))) {
    // It was part of an escape.
    if (index < at) continue;
    take(original.slice(at, index), index);
    take(...characterAt(original, at));
  }
  take(original.slice(at), original.length);
  origins[text.length] = original.length;
  return { text, origin: (index) => origins[index] as number };
}

/** The character that begins here, and where the next one does. */
function characterAt(text: string, at: number): [character: string, next: number] {
  const here = text.charAt(at);
  if (here === '%') {
    let from = at + 1;
    for (let nested = 0; nested < 2 && text.startsWith('25', from); nested++) from += 2;
    return hexAt(text, from) ?? (from > at + 1 ? [here, at + 3] : [here, at + 1]);
  }
  if (here !== '\\') return [here, at + 1];
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
