/** How a token may be written where it does not belong. */

const PIECE_AT = 16;

const base64At = (shift: number) => (token: string) => Buffer.from('?'.repeat(shift) + token).toString('base64');
const eachByte = (token: string, spell: (hex: string) => string): string =>
  [...Buffer.from(token)].map((byte) => spell(byte.toString(16).padStart(2, '0'))).join('');

/** Each gives one line of visible ASCII. */
export const SPELLINGS: Readonly<Record<string, (token: string) => string>> = {
  'as it is': (token) => token,
  'in upper case': (token) => token.toUpperCase(),
  'in hex': (token) => Buffer.from(token).toString('hex'),
  'in HEX': (token) => Buffer.from(token).toString('hex').toUpperCase(),
  'in base64': base64At(0),
  'in base64 behind one byte': base64At(1),
  'in base64 behind two bytes': base64At(2),
  "in base64 of a URL's kind": (token) => Buffer.from(`?>${token}?`).toString('base64url'),
  'in base64 of its upper case': (token) => base64At(1)(token.toUpperCase()),
  "escaped by a URL's rules": (token) => eachByte(token, (hex) => `%${hex}`),
  'escaped twice': (token) => eachByte(token, (hex) => `%25${hex}`),
  "escaped by JSON's rules": (token) => eachByte(token, (hex) => `\\u00${hex}`),
  "escaped by JSON's rules, as a text in JSON": (token) => eachByte(token, (hex) => `\\\\u00${hex.toUpperCase()}`),
  "escaped by JavaScript's rules": (token) => eachByte(token, (hex) => `\\x${hex}`),
  "escaped by HTML's rules": (token) => eachByte(token, (hex) => `&#x${hex};`),
  'as a list of bytes': (token) => [...Buffer.from(token)].join(','),
  'as bytes that were printed': (token) =>
    Buffer.from(token)
      .toString('hex')
      .replace(/..(?=.)/g, '$& '),
  'in part': (token) => token.slice(PIECE_AT, PIECE_AT + 8),
  'in part, in base64': (token) => base64At(1)(`?${token.slice(PIECE_AT, PIECE_AT + 8)}?`),
};
