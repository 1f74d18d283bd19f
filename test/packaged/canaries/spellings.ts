/** Encodings of a token. Each key completes "a token …". */

const PIECE_AT = 16;

const base64At = (shift: number) => (token: string) => Buffer.from('?'.repeat(shift) + token).toString('base64');
const eachByte = (token: string, spell: (hex: string) => string): string =>
  [...Buffer.from(token)].map((byte) => spell(byte.toString(16).padStart(2, '0'))).join('');

/** Each returns one line of visible ASCII. */
export const SPELLINGS: Readonly<Record<string, (token: string) => string>> = {
  verbatim: (token) => token,
  'in upper case': (token) => token.toUpperCase(),
  'in hex': (token) => Buffer.from(token).toString('hex'),
  'in uppercase hex': (token) => Buffer.from(token).toString('hex').toUpperCase(),
  'in base64': base64At(0),
  'in base64 after one byte': base64At(1),
  'in base64 after two bytes': base64At(2),
  'in base64url': (token) => Buffer.from(`?>${token}?`).toString('base64url'),
  'in upper case and base64': (token) => base64At(1)(token.toUpperCase()),
  'percent-encoded': (token) => eachByte(token, (hex) => `%${hex}`),
  'percent-encoded twice': (token) => eachByte(token, (hex) => `%25${hex}`),
  'JSON-escaped': (token) => eachByte(token, (hex) => `\\u00${hex}`),
  'JSON-escaped twice': (token) => eachByte(token, (hex) => `\\\\u00${hex.toUpperCase()}`),
  'JavaScript-escaped': (token) => eachByte(token, (hex) => `\\x${hex}`),
  'HTML-escaped': (token) => eachByte(token, (hex) => `&#x${hex};`),
  'as a list of bytes': (token) => [...Buffer.from(token)].join(','),
  'as printed bytes': (token) =>
    Buffer.from(token)
      .toString('hex')
      .replace(/..(?=.)/g, '$& '),
  'in part': (token) => token.slice(PIECE_AT, PIECE_AT + 8),
  'in part and in base64': (token) => base64At(1)(`?${token.slice(PIECE_AT, PIECE_AT + 8)}?`),
};
