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

describe('an answer', () => {
  test('has a status, headers by their names in lower case, and a body', () => {
    const { read } = weRead(`${OK}X-Auth-Token: a\r\nCONTENT-LENGTH: 2\r\n\r\n{}`);
    expect(read).toEqual({ status: 200, headers: { 'x-auth-token': 'a', 'content-length': '2' }, body: '{}' });
  });

  test.for([
    ['', ''],
    [' \t ', ''],
    [' a', 'a'],
    ['\t a b\t ', 'a b'],
    [' \xa0a\xa0', '\xa0a\xa0'],
  ])('has a header %j with the value %j', ([written, value]) => {
    expect(weRead(fields(`a:${written}`)).read).toMatchObject({ headers: { a: value } });
  });

  test('has each value of a header that came more than once, in order, whatever its name is', () => {
    const { read } = weRead(fields('constructor: 1\r\na: 1\r\nConstructor: 2\r\nA:\r\na: 3'));
    expect(read).toMatchObject({ headers: { constructor: '1, 2', a: '1, , 3' } });
  });

  test('changes no prototype by the name of a header', () => {
    const { head } = weRead(fields('__proto__: polluted'));
    expect(Object.getPrototypeOf(head?.headers)).toBe(Object.prototype);
  });

  test.for([
    ['1.1, whose length is known', fields('a: b'), true],
    ['1.1, in chunks', `${CHUNKED}0\r\n\r\n`, true],
    ['1.1, without a body', 'HTTP/1.1 204 No Content\r\n\r\n', true],
    ['1.1, with "keep-alive"', fields('Connection: keep-alive'), true],
    ['1.1, with a name that begins as "close" does', fields('Connection: closed, x-close'), true],
    ['1.1, with "close"', fields('Connection: close'), false],
    ['1.1, with "close" among others', fields('Connection: keep-alive ,\tCLOSE , x'), false],
    ['1.1, with "close" in a second header', fields('Connection: x\r\nconnection: close'), false],
    ['1.0', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', false],
  ] satisfies [string, string, boolean][])('of HTTP/%s lets its connection be used again: %j', ([_, text, keeps]) => {
    const answer = weRead(text);
    expect(answer.read).toMatchObject({ status: expect.any(Number) });
    expect(answer.keeps).toBe(keeps);
  });

  test.for([
    ['a length', `${OK}Content-Length: 3\r\n\r\nabc`],
    ['chunks', `${CHUNKED}1\r\na\r\n02;x;y=z;w="q"\r\nbc\r\n0\r\n\r\n`],
    ['chunks and a trailer', `${CHUNKED}3\r\nabc\r\n000\r\nx-auth-token: no header\r\n\r\n`],
    [
      'interim answers before',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199\r\nA: b\r\n\r\n${OK}Content-Length: 3\r\n\r\nabc`,
    ],
  ])('with %s is the same in whatever pieces it comes', ([_, text = '']) => {
    const { read } = weRead(text);
    expect(read).toMatchObject({ status: 200, body: 'abc' });
    expect(read).not.toHaveProperty('headers.x-auth-token');
    for (let first = 1; first < text.length; first++) expect(weRead(text, [first, 1]).read).toEqual(read);
  });

  test.for([204, 304])('%i has no body', (status) => {
    for (const length of ['', 'Content-Length: 0\r\n', 'Content-Length: 00\r\n'])
      expect(weRead(`HTTP/1.1 ${status} X\r\n${length}\r\n`).read).toMatchObject({ status, body: '' });
  });

  test('tells its head before its body, also if that never comes', () => {
    const { read, head } = weRead(`${OK}x-auth-token: a\r\nContent-Length: 3\r\n\r\n`);
    expect([read, head]).toEqual([{ refused: ENDED_EARLY }, expect.objectContaining({ status: 200 })]);
  });

  test('tells its head also if its body is too long', () => {
    const { head } = weRead(`${OK}x-auth-token: a\r\nContent-Length: 1048577\r\n\r\n`);
    expect(head?.headers).toMatchObject({ 'x-auth-token': 'a' });
  });
});

describe('an answer is refused that', () => {
  const head = 'it is broken HTTP: its head is not the one of an answer';
  const length = 'it is broken HTTP: its length is not one number';
  const coding = 'it is broken HTTP: its transfer coding is none that was agreed';
  const extension = 'it is broken HTTP: one of its chunks has an extension that cannot be read';
  const noSize = 'it is broken HTTP: one of its chunks has no size';
  const trailer = 'it is broken HTTP: its trailer says where its body ends';
  const last = 'it goes on after it said that it ends';
  const announced = 'it is broken HTTP: its head announces a body that its status has not';
  const more = 'more bytes follow than belong to it';
  test.for([
    ['is of another protocol', 'SSH-2.0-OpenSSH_9.6', 'it is no HTTP/1.1'],
    ['begins with an empty line', `\r\n${OK}\r\n`, 'it is no HTTP/1.1'],
    ['is of HTTP/2', 'HTTP/2 200\r\n\r\n', 'it is no HTTP/1.1'],
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
    ['has a blank before a colon', fields('a : b'), head],
    ['has a header that goes on in the next line', fields('a: b\r\n c'), head],
    ['changes the protocol', 'HTTP/1.1 101 Go\r\n\r\n', 'it changes the protocol, which nobody asked for'],
    ['has two lengths', `${OK}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, length],
    ['has a length with a sign', `${OK}Content-Length: +1\r\n\r\nx`, length],
    ['has a length that is no decimal', `${OK}Content-Length: 0x1\r\n\r\nx`, length],
    ['has an empty length', `${OK}Content-Length:\r\n\r\n`, length],
    ['has a length beyond all numbers', `${OK}Content-Length: ${'1'.repeat(16)}\r\n\r\n`, length],
    ['has a wrong length in an interim answer', `HTTP/1.1 100 X\r\nContent-Length: x\r\n\r\n${fields('a: b')}`, length],
    [
      'has both a length and chunks',
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'it is broken HTTP: it has both a length and a transfer coding',
    ],
    ['is compressed for transfer', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, coding],
    ['is chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, coding],
    ['has chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', coding],
    ['has a chunk without a size', `${CHUNKED}\r\n`, noSize],
    ['has a chunk whose size is no number', `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`, noSize],
    ['has a chunk whose size has nine digits', `${CHUNKED}000000001\r\na\r\n0\r\n\r\n`, noSize],
    ['has a control character in the line of a chunk', `${CHUNKED}1;a\0\r\na\r\n0\r\n\r\n`, noSize],
    ['has an extension of a chunk without a name', `${CHUNKED}1;\r\na\r\n0\r\n\r\n`, extension],
    ['has a quotation without end in an extension', `${CHUNKED}1;a="b\r\na\r\n0\r\n\r\n`, extension],
    [
      'has a chunk that is longer than its size',
      `${CHUNKED}1\r\nabc0\r\n\r\n`,
      'it is broken HTTP: one of its chunks is longer than its size',
    ],
    ['ends with an interim answer', `HTTP/1.1 100 X\r\nConnection: close\r\n\r\n${fields('a: b')}`, last],
    ['has an interim answer of HTTP/1.0', `HTTP/1.0 100 X\r\n\r\n${fields('a: b')}`, last],
    ['says nothing of its length', `${OK}\r\nabc`, 'it does not say where it ends'],
    ['is of HTTP/1.0 and says nothing of its length', 'HTTP/1.0 200 OK\r\n\r\n', 'it does not say where it ends'],
    ...[100, 204, 304].flatMap((status): [string, string, string][] => [
      [`is ${status} and has a length`, `HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\n`, announced],
      [`is ${status} and has chunks`, `HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n`, announced],
    ]),
    ['has a length in its trailer', `${CHUNKED}0\r\nCONTENT-length: 3\r\n\r\n`, trailer],
    ['has a coding in its trailer', `${CHUNKED}0\r\ntransfer-encoding: chunked\r\n\r\n`, trailer],
    [
      'has a trailer that is no header',
      `${CHUNKED}0\r\nabc\r\n\r\n`,
      'it is broken HTTP: its trailer does not consist of headers',
    ],
    ['has bytes after its body', `${OK}Content-Length: 1\r\n\r\nab`, more],
    ['has another answer after it', `${fields('a: b')}${fields('a: b')}`, more],
    ['has bytes after an answer without a body', 'HTTP/1.1 204 X\r\n\r\na', more],
    ['has bytes after its last chunk', `${CHUNKED}0\r\n\r\n\r\n`, more],
  ] satisfies [string, string, string][])('%s', ([_, text, reason]) => {
    expect(weRead(text).read).toEqual({ refused: reason });
    expect(weRead(text, [1]).read).toEqual({ refused: reason });
  });

  test.for(['S', '\r', 'HTTP/2', 'HTTP/1,', 'http/1.1'])('begins with %j, as soon as that is there', (text) => {
    expect(weRead(text).read).toEqual({ refused: 'it is no HTTP/1.1' });
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

describe('an answer may have', () => {
  const heads = 'its head is longer than 16384 bytes';
  const long = 'it is longer than 1048576 bytes';
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
      'it comes in more than 16384 chunks',
    ],
    [
      'a line of 1 KiB before a chunk',
      `${CHUNKED}0;${'a'.repeat(KIB - 2)}\r\n\r\n`,
      `${CHUNKED}0;${'a'.repeat(KIB - 1)}\r\n\r\n`,
      'the line before one of its chunks is too long',
    ],
    [
      'trailers of 16 KiB',
      `${CHUNKED}0\r\na:\r\nb:${'x'.repeat(16 * KIB - 4)}\r\n\r\n`,
      `${CHUNKED}0\r\na:\r\nb:${'x'.repeat(16 * KIB - 3)}\r\n\r\n`,
      'its trailer is longer than 16384 bytes',
    ],
  ] satisfies [string, string, string, string][])('%s, and no more', ([_, most, more, reason]) => {
    expect(weRead(most, [4 * KIB]).read).toMatchObject({ status: 200 });
    expect(weRead(more, [4 * KIB]).read).toEqual({ refused: reason });
  });

  test('no line without end: it is refused before more than is allowed was kept', () => {
    expect(weRead(`HTTP/1.1 200 ${'x'.repeat(20 * KIB)}`, [1]).read).toEqual({ refused: heads });
    expect(weRead(`${CHUNKED}0;${'x'.repeat(2 * KIB)}`, [1]).read).toEqual({
      refused: 'the line before one of its chunks is too long',
    });
  });
});
