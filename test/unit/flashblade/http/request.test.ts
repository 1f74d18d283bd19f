import { describe, expect, test } from 'vitest';
import type { FlashBlade } from '../../../../lib/core/model.ts';
import { VERSION, type WireRequest, writeRequest } from '../../../../lib/flashblade/http/request.ts';

const array: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };
const login: WireRequest = { method: 'POST', path: '/api/login', headers: { 'api-token': 'T-1' }, requestId: 'one' };
const AGENT = `flashblade-sessions/${VERSION} (node/${process.versions.node.split('.')[0]})`;
const hostIn = (text: string | undefined): string | undefined => /^Host: (.*)\r$/m.exec(text ?? '')?.[1];

describe('a request is written', () => {
  test('as a request line, headers and a body', () => {
    const text = writeRequest(array, { ...login, path: '/api/2.4/x?a=b', body: '{"ä":1}' });
    expect(text?.split('\r\n')).toEqual([
      'POST /api/2.4/x?a=b HTTP/1.1',
      'Host: fb1.example.com',
      'Connection: keep-alive',
      'Accept-Encoding: identity',
      'api-token: T-1',
      'Content-Length: 8',
      `User-Agent: ${AGENT}`,
      'X-Request-ID: one',
      '',
      '{"ä":1}',
    ]);
  });

  test.for([
    ['fb1.example.com', 443, 'fb1.example.com'],
    ['fb1.example.com', 8443, 'fb1.example.com:8443'],
    ['10.1.2.3', 4430, '10.1.2.3:4430'],
    ['2001:db8::443', 443, '[2001:db8::443]'],
    ['2001:db8::1', 8443, '[2001:db8::1]:8443'],
  ] satisfies [string, number, string][])('to %s and port %i with the Host %s', ([host, port, expected]) => {
    expect(hostIn(writeRequest({ ...array, host, port }, login))).toBe(expected);
  });

  test.for([
    ['POST', undefined, 'Content-Length: 0'],
    ['DELETE', '', 'Content-Length: 0'],
    ['GET', '{}', 'Content-Length: 2'],
    ['GET', undefined, undefined],
  ] satisfies [string, string | undefined, string | undefined][])(
    'with %s and the body %j as %s',
    ([method, body, length]) => {
      const text = writeRequest(array, {
        method,
        path: '/api/x',
        requestId: 'one',
        ...(body === undefined ? {} : { body }),
      });
      expect(/^Content-Length: .*(?=\r$)/m.exec(text ?? '')?.[0]).toBe(length);
    },
  );
});

describe('a request is not written', () => {
  test.for<[string, Partial<WireRequest>]>([
    ['with a method that arrays do not support', { method: 'TRACE' }],
    ['with a method in lower case', { method: 'post' }],
    ['with a line end in its method', { method: 'GET / HTTP/1.1\r\nX:' }],
    ['with a space in its path', { path: '/a b' }],
    ['with a line end in its path', { path: '/a\r\nX: y' }],
    ['with a non-ASCII path', { path: '/ä' }],
    ['with a path that names a server', { path: 'https://fb1/api' }],
    ['without a path', { path: '' }],
    ['with a line end in a value', { headers: { a: 'b\r\nX: y' } }],
    ['with LF in a value', { headers: { a: 'b\n' } }],
    ['with NUL in a value', { headers: { a: '\0' } }],
    ['with a non-ASCII value', { headers: { a: 'ä' } }],
    ['with a colon in a name', { headers: { 'a:b': 'c' } }],
    ['with a space in a name', { headers: { 'a ': 'c' } }],
    ['without a name', { headers: { '': 'c' } }],
    ['with a line end in its id', { requestId: 'a\r\nX: y' }],
  ])('%s', ([_, changes]) => {
    expect(writeRequest(array, { ...login, ...changes })).toBeUndefined();
    expect(writeRequest(array, login)).toEqual(expect.any(String));
  });

  test('to a host with a line end', () => {
    expect(writeRequest({ ...array, host: 'fb1\r\nX: y' }, login)).toBeUndefined();
  });
});
