import { describe, expect, test } from 'vitest';
import { ENDED_EARLY, weRead } from './reads.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const KIB = 1024;
const fields = (text: string): string => `${OK}Content-Length: 0\r\n${text}\r\n\r\n`;
/** A head of so many bytes, and no body. */
const headOf = (bytes: number): string => {
  const start = `${OK}Content-Length: 0\r\nX: `;
  return `${start}${'x'.repeat(bytes - start.length)}\r\n\r\n`;
};

describe('a response', () => {
  test('has a status, headers with names in lower case, and a body', () => {
    const { read } = weRead(`${OK}X-Auth-Token: a\r\nCONTENT-LENGTH: 2\r\n\r\n{}`);
    expect(read).toEqual({ status: 200, headers: { 'x-auth-token': 'a', 'content-length': '2' }, body: '{}' });
  });

  test.for([
    ['', ''],
    [' \t ', ''],
    [' a', 'a'],
    ['\t a b\t ', 'a b'],
    [' \xa0a\xa0', '\xa0a\xa0'],
  ])('with the header value %j is read as %j', ([written, value]) => {
    expect(weRead(fields(`a:${written}`)).read).toMatchObject({ headers: { a: value } });
  });

  test('keeps each value of a repeated header, in order, whatever its name is', () => {
    const { read } = weRead(fields('constructor: 1\r\na: 1\r\nConstructor: 2\r\nA:\r\na: 3'));
    expect(read).toMatchObject({ headers: { constructor: '1, 2', a: '1, , 3' } });
  });

  test('cannot change a prototype by the name of a header', () => {
    const { head } = weRead(fields('__proto__: polluted'));
    expect(Object.getPrototypeOf(head?.headers)).toBe(Object.prototype);
  });

  test.for([
    ['1.1, with a length', fields('a: b'), true],
    ['1.1, in chunks', `${CHUNKED}0\r\n\r\n`, true],
    ['1.1, without a body', 'HTTP/1.1 204 No Content\r\n\r\n', true],
    ['1.1, with "keep-alive"', fields('Connection: keep-alive'), true],
    ['1.1, with a name that begins with "close"', fields('Connection: closed, x-close'), true],
    ['1.1, with "close"', fields('Connection: close'), false],
    ['1.1, with "close" among others', fields('Connection: keep-alive ,\tCLOSE , x'), false],
    ['1.1, with "close" in a second header', fields('Connection: x\r\nconnection: close'), false],
    ['1.0', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', false],
  ] satisfies [string, string, boolean][])('of HTTP/%s keeps its connection: %j', ([_, text, keeps]) => {
    const answer = weRead(text);
    expect(answer.read).toMatchObject({ status: expect.any(Number) });
    expect(answer.keeps).toBe(keeps);
  });

  test.for([
    ['a length', `${OK}Content-Length: 3\r\n\r\nabc`],
    ['chunks', `${CHUNKED}1\r\na\r\n02;x;y=z;w="q"\r\nbc\r\n0\r\n\r\n`],
    ['chunks and a trailer', `${CHUNKED}3\r\nabc\r\n000\r\nx-auth-token: no header\r\n\r\n`],
    [
      'interim responses before it',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199\r\nA: b\r\n\r\n${OK}Content-Length: 3\r\n\r\nabc`,
    ],
  ])('with %s is read the same in pieces of any size', ([_, text = '']) => {
    const { read } = weRead(text);
    expect(read).toMatchObject({ status: 200, body: 'abc' });
    expect(read).not.toHaveProperty('headers.x-auth-token');
    for (let first = 1; first < text.length; first++) expect(weRead(text, [first, 1]).read).toEqual(read);
  });

  test.for([204, 304])('with status %i has no body', (status) => {
    for (const length of ['', 'Content-Length: 0\r\n', 'Content-Length: 00\r\n'])
      expect(weRead(`HTTP/1.1 ${status} X\r\n${length}\r\n`).read).toMatchObject({ status, body: '' });
  });

  test.for(['', 'identity', 'Identity ,identity', ','])('is not compressed with the coding %j', (coding) => {
    const text = `${OK}Content-Length: 2\r\nContent-Encoding: ${coding}\r\n\r\n{}`;
    expect(weRead(text).read).toMatchObject({ body: '{}' });
  });

  test('without a body may name a coding', () => {
    const text = `${OK}Content-Length: 0\r\nContent-Encoding: gzip\r\n\r\n`;
    expect(weRead(text).read).toMatchObject({ status: 200, body: '' });
  });

  test('reports its head before its body, even if the body never comes', () => {
    const { read, head } = weRead(`${OK}x-auth-token: a\r\nContent-Length: 3\r\n\r\n`);
    expect([read, head]).toEqual([{ refused: ENDED_EARLY }, expect.objectContaining({ status: 200 })]);
  });

  test('reports its head even if its body is too long', () => {
    const { head } = weRead(`${OK}x-auth-token: a\r\nContent-Length: 1048577\r\n\r\n`);
    expect(head?.headers).toMatchObject({ 'x-auth-token': 'a' });
  });
});

describe('a response is refused that', () => {
  const head = 'invalid HTTP (malformed head)';
  const length = 'invalid HTTP (Content-Length is not a single number)';
  const coding = 'invalid HTTP (unsupported transfer coding)';
  const extension = 'invalid HTTP (a chunk has a malformed extension)';
  const noSize = 'invalid HTTP (a chunk has no valid size)';
  const trailer = 'invalid HTTP (the trailer contains Content-Length or Transfer-Encoding)';
  const last = 'an interim response closes the connection';
  const announced = 'invalid HTTP (a response with this status must not have a body)';
  const more = 'it is followed by extra bytes';
  test.for([
    ['is of another protocol', 'SSH-2.0-OpenSSH_9.6', 'it is not HTTP/1.1'],
    ['begins with an empty line', `\r\n${OK}\r\n`, 'it is not HTTP/1.1'],
    ['is of HTTP/2', 'HTTP/2 200\r\n\r\n', 'it is not HTTP/1.1'],
    ['is of HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', head],
    ['has a status of two digits', 'HTTP/1.1 99 Low\r\n\r\n', head],
    ['has a status of four digits', 'HTTP/1.1 2000 High\r\n\r\n', head],
    ['has a status that begins with 0', 'HTTP/1.1 020 Low\r\n\r\n', head],
    ['has text right after its status', 'HTTP/1.1 200OK\r\n\r\n', head],
    ['has a control character in its reason', 'HTTP/1.1 200 O\0K\r\n\r\n', head],
    ['has a control character in a value', fields('a: b\x01'), head],
    ['has a line that ends with LF alone', `${OK}a: b\nContent-Length: 0\r\n\r\n`, head],
    ['has a CR within a line', fields('a: b\rc: d'), head],
    ['has a header without a colon', fields('a'), head],
    ['has a header without a name', fields(': a'), head],
    ['has a space before a colon', fields('a : b'), head],
    ['has a header that goes on in the next line', fields('a: b\r\n c'), head],
    ['switches protocols', 'HTTP/1.1 101 Go\r\n\r\n', 'it switches protocols without being asked to'],
    ['has two lengths', `${OK}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, length],
    ['has a length with a sign', `${OK}Content-Length: +1\r\n\r\nx`, length],
    ['has a length that is not decimal', `${OK}Content-Length: 0x1\r\n\r\nx`, length],
    ['has an empty length', `${OK}Content-Length:\r\n\r\n`, length],
    ['has a length of 16 digits', `${OK}Content-Length: ${'1'.repeat(16)}\r\n\r\n`, length],
    [
      'has an invalid length in an interim response',
      `HTTP/1.1 100 X\r\nContent-Length: x\r\n\r\n${fields('a: b')}`,
      length,
    ],
    [
      'has both a length and chunks',
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'invalid HTTP (both Content-Length and Transfer-Encoding)',
    ],
    ['is compressed for transfer', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, coding],
    ['is chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, coding],
    ['has chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', coding],
    ['has a chunk without a size', `${CHUNKED}\r\n`, noSize],
    ['has a chunk whose size is not a number', `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`, noSize],
    ['has a chunk whose size has nine digits', `${CHUNKED}000000001\r\na\r\n0\r\n\r\n`, noSize],
    ['has a control character in the line of a chunk', `${CHUNKED}1;a\0\r\na\r\n0\r\n\r\n`, noSize],
    ['has an extension of a chunk without a name', `${CHUNKED}1;\r\na\r\n0\r\n\r\n`, extension],
    ['has an unterminated quote in an extension', `${CHUNKED}1;a="b\r\na\r\n0\r\n\r\n`, extension],
    [
      'has a chunk that is longer than its size',
      `${CHUNKED}1\r\nabc0\r\n\r\n`,
      'invalid HTTP (a chunk is longer than its declared size)',
    ],
    [
      'closes the connection in an interim response',
      `HTTP/1.1 100 X\r\nConnection: close\r\n\r\n${fields('a: b')}`,
      last,
    ],
    ['has an interim response of HTTP/1.0', `HTTP/1.0 100 X\r\n\r\n${fields('a: b')}`, last],
    ['announces no length', `${OK}\r\nabc`, 'it has neither Content-Length nor Transfer-Encoding'],
    [
      'is of HTTP/1.0 and announces no length',
      'HTTP/1.0 200 OK\r\n\r\n',
      'it has neither Content-Length nor Transfer-Encoding',
    ],
    ...[100, 204, 304].flatMap((status): [string, string, string][] => [
      [`has status ${status} and a length`, `HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\n`, announced],
      [`has status ${status} and chunks`, `HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n`, announced],
    ]),
    ['has a length in its trailer', `${CHUNKED}0\r\nCONTENT-length: 3\r\n\r\n`, trailer],
    ['has a coding in its trailer', `${CHUNKED}0\r\ntransfer-encoding: chunked\r\n\r\n`, trailer],
    [
      'has a trailer that is not a header',
      `${CHUNKED}0\r\nabc\r\n\r\n`,
      'invalid HTTP (the trailer contains a line that is not a header)',
    ],
    ['has bytes after its body', `${OK}Content-Length: 1\r\n\r\nab`, more],
    ['has another response after it', `${fields('a: b')}${fields('a: b')}`, more],
    ['has bytes after a response without a body', 'HTTP/1.1 204 X\r\n\r\na', more],
    ['has bytes after its last chunk', `${CHUNKED}0\r\n\r\n\r\n`, more],
  ] satisfies [string, string, string][])('%s', ([_, text, reason]) => {
    expect(weRead(text).read).toEqual({ refused: reason });
    expect(weRead(text, [1]).read).toEqual({ refused: reason });
  });

  test.for([
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['deflate', 'deflate'],
    ['zstd', 'zstd'],
    ['compress', 'compress'],
    ['X-GZip', 'gzip'],
    ['identity, gzip', 'gzip'],
    ['gzip\r\nContent-Encoding: identity', 'gzip'],
    ['T-secret', 'an unknown coding'],
  ])('is compressed: %j', ([coding = '', name = '']) => {
    const refused = `its body is compressed (Content-Encoding: ${name}), which the request did not allow`;
    const framed = { byLength: `${OK}Content-Length: 2`, byChunks: `${OK}Transfer-Encoding: chunked` };
    for (const head of Object.values(framed))
      expect(weRead(`${head}\r\nContent-Encoding: ${coding}\r\n\r\n{}`).read).toEqual({ refused });
  });

  test.for(['S', '\r', 'HTTP/2', 'HTTP/1,', 'http/1.1'])('begins with %j, as soon as that arrives', (text) => {
    expect(weRead(text).read).toEqual({ refused: 'it is not HTTP/1.1' });
  });

  test('ends before its last byte', () => {
    for (const text of [
      `${OK}Content-Length: 2\r\n\r\nab`,
      `${CHUNKED}1\r\na\r\n0\r\n\r\n`,
      `${CHUNKED}0\r\na: b\r\n\r\n`,
    ]) {
      expect(weRead(text.slice(0, -1)).read).toEqual({ refused: ENDED_EARLY });
    }
  });

  test.for(['H', 'HTTP/1.', 'HTTP/1.1 200 OK\r\n\r'])('ends after %j', (text) => {
    expect(weRead(text).read).toEqual({ refused: ENDED_EARLY });
  });
});

describe('a response may have', () => {
  const heads = 'its head is longer than 16384 bytes';
  const long = 'its body is longer than 1048576 bytes';
  const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
  test.for([
    ['a head of 16 KiB', headOf(16 * KIB), headOf(16 * KIB + 1), heads],
    [
      'heads of 16 KiB together',
      `HTTP/1.1 100 Continue\r\n\r\n${headOf(16 * KIB - 21)}`,
      `HTTP/1.1 100 Continue\r\n\r\n${headOf(16 * KIB - 20)}`,
      heads,
    ],
    [
      '1 MiB by its length',
      `${OK}Content-Length: 1048576\r\n\r\n${'x'.repeat(KIB * KIB)}`,
      `${OK}Content-Length: 1048577\r\n\r\n`,
      long,
    ],
    [
      '1 MiB in chunks',
      `${CHUNKED}${chunk(1)}${chunk(KIB * KIB - 1)}0\r\n\r\n`,
      `${CHUNKED}${chunk(1)}100000\r\n`,
      long,
    ],
    [
      '16,384 chunks',
      `${CHUNKED}${chunk(1).repeat(16 * KIB)}0\r\n\r\n`,
      `${CHUNKED}${chunk(1).repeat(16 * KIB + 1)}`,
      'it has more than 16384 chunks',
    ],
    [
      'a line of 1 KiB before a chunk',
      `${CHUNKED}0;${'a'.repeat(KIB - 2)}\r\n\r\n`,
      `${CHUNKED}0;${'a'.repeat(KIB - 1)}\r\n\r\n`,
      'a chunk size line is too long',
    ],
    [
      'trailers of 16 KiB',
      `${CHUNKED}0\r\na:\r\nb:${'x'.repeat(16 * KIB - 4)}\r\n\r\n`,
      `${CHUNKED}0\r\na:\r\nb:${'x'.repeat(16 * KIB - 3)}\r\n\r\n`,
      'its trailer is longer than 16384 bytes',
    ],
  ] satisfies [string, string, string, string][])('at most %s', ([_, most, more, reason]) => {
    expect(weRead(most, [4 * KIB]).read).toMatchObject({ status: 200 });
    expect(weRead(more, [4 * KIB]).read).toEqual({ refused: reason });
  });

  test('no endless line: it is refused as soon as the limit is passed', () => {
    expect(weRead(`HTTP/1.1 200 ${'x'.repeat(20 * KIB)}`, [1]).read).toEqual({ refused: heads });
    expect(weRead(`${CHUNKED}0;${'x'.repeat(2 * KIB)}`, [1]).read).toEqual({
      refused: 'a chunk size line is too long',
    });
  });
});
