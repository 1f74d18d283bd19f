import { describe, expect, it } from 'vitest';
import { busy, fieldOf, httpInfo, isInFront, parseBody, retryAfterSeconds } from '../../../lib/flashblade/responses.ts';
import { arrayAt } from './servers.ts';

const NOW = Date.parse('2026-11-24T05:00:00Z');
const array = arrayAt({ port: 443 });
const response = { status: 429, headers: {}, body: Buffer.from(''), requestId: 'id-1', certificateEndsAt: undefined };

describe('the time to wait for a busy array', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['no header', {}, undefined],
    ['seconds', { 'retry-after': '30' }, 30],
    ['zero seconds', { 'retry-after': '0' }, 0],
    ['a day at most', { 'retry-after': '999999999' }, 86_400],
    ['a date', { 'retry-after': 'Tue, 24 Nov 2026 05:00:09 GMT' }, 9],
    ['a date between two seconds', { 'retry-after': '2026-11-24T05:00:08.001Z' }, 9],
    ['a date that has passed', { 'retry-after': 'Tue, 24 Nov 2026 04:00:00 GMT' }, 0],
    ['words', { 'retry-after': 'soon' }, undefined],
    ['a number below zero', { 'retry-after': '-5' }, undefined],
    ['a fraction', { 'retry-after': '1.5' }, undefined],
    ['a word before digits', { 'retry-after': 'abc 7' }, undefined],
    ['words that look like a date', { 'retry-after': 'Soon, very soon GMT' }, undefined],
    ['a fraction, where a rate is used up', { 'retry-after': '1.5', 'x-ratelimit-remaining-minute': '0' }, 60],
    ['ten digits', { 'retry-after': '1234567890' }, undefined],
    ['words after digits', { 'retry-after': '30 or so' }, undefined],
    ['its rate per minute', { 'x-ratelimit-remaining-minute': '0', 'x-ratelimit-remaining-second': '0' }, 60],
    ['its rate per second', { 'x-ratelimit-remaining-minute': '1', 'x-ratelimit-remaining-second': '0' }, 1],
    [
      'rates that are not used up',
      { 'x-ratelimit-remaining-minute': '1', 'x-ratelimit-remaining-second': '1' },
      undefined,
    ],
  ])('is read from %s', (_, headers, expected) => {
    expect(retryAfterSeconds(headers, NOW)).toBe(expected);
  });

  it('is rounded up to whole seconds', () => {
    expect(retryAfterSeconds({ 'retry-after': 'Tue, 24 Nov 2026 05:00:09 GMT' }, NOW + 1)).toBe(9);
    expect(retryAfterSeconds({ 'retry-after': 'Tue, 24 Nov 2026 05:00:09 GMT' }, NOW + 1000)).toBe(8);
  });

  it('is in the facts of the error only if the array reports it', () => {
    const details = (headers: Record<string, string>) => ({
      action: 'the logout',
      response: { ...response, headers },
      advice: 'wait',
    });
    expect(busy(array, details({}), { mayHaveOpened: false })).toMatchObject({
      code: 'ARRAY_BUSY',
      message: 'array fb1 (localhost:443) returned 429 for the logout: wait',
    });
    const facts = { status: 429, sent: true, array: 'fb1', requestId: 'id-1' };
    expect(busy(array, details({}), { mayHaveOpened: false }).facts).toEqual({ ...facts, mayHaveOpened: false });
    expect(busy(array, details({ 'retry-after': '3' })).facts).toEqual({ ...facts, retryAfterSeconds: 3 });
  });
});

describe('a refusal', () => {
  const isFront = (type: string | undefined, body: string, unread?: string, status = 403) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const own = { ...response, status, headers, body: Buffer.from(body, 'latin1') };
    return isInFront(unread === undefined ? own : { ...own, unread: Buffer.from(unread, 'latin1') });
  };
  const UTF_16 = '\xff\xfe<\0h\0t\0m\0l\0>\0';

  it.each([
    undefined,
    '',
    'application/json',
    'Application/JSON; charset=utf-8',
    'text/json',
    'application/problem+json',
  ])('of the content type %s comes from the array, unless it has markup', (type) => {
    for (const body of ['', '{"error":[]}', '\n{}', 'Access Denied', '{"message":"<b>"}', '{\n"message":"\n<b>"}'])
      expect(isFront(type, body), body).toBe(false);
    for (const body of ['<html>', '<', ' \r\n\t<?xml', '\xef\xbb\xbf<!DOCTYPE html>', '\xef\xbb\xbf \n<p>', UTF_16])
      expect(isFront(type, body), body).toBe(true);
  });

  it.each([
    'text/html',
    'text/html; charset=utf-8',
    'text/plain',
    'application/xml',
    'text/html, application/json',
    '?',
  ])('of the content type %s comes from something in front of the array', (type) => {
    for (const body of ['', '{"error":[]}', 'Access Denied', '<html>']) expect(isFront(type, body)).toBe(true);
  });

  it('is also recognized by the beginning of a body that cannot be read', () => {
    for (const unread of ['<', 'a7\r\n<html>', 'zz;x="y"\r\n\r\n <html>', '\xef\xbb\xbf<'])
      expect(isFront(undefined, '', unread), unread).toBe(true);
    for (const unread of ['', '{', 'a7\r\n{"error', 'Access Denied'])
      expect(isFront(undefined, '', unread)).toBe(false);
  });

  it('is a 400, a 401 or a 403', () => {
    const fronts = [200, 302, 400, 401, 403, 404, 407, 429, 503].filter((status) =>
      isFront('text/html', '', '', status),
    );
    expect(fronts).toEqual([400, 401, 403]);
  });

  it.each(['a'.repeat(2 ** 20), ' '.repeat(2 ** 20), `${'a'.repeat(64)}\n`.repeat(2 ** 14), '\n'.repeat(2 ** 20)])(
    'of 1 MiB is judged in a moment (%#)',
    (body) => {
      const startedAt = performance.now();
      expect(isFront(undefined, body)).toBe(false);
      expect(performance.now() - startedAt).toBeLessThan(500);
    },
  );
});

describe('the body of a response', () => {
  it('is parsed as JSON, and is undefined if it is not JSON', () => {
    expect([parseBody('{"a":1}'), parseBody('null'), parseBody('{')]).toEqual([{ a: 1 }, null, undefined]);
  });

  it('may be nested 100 levels deep, in lists and objects', () => {
    const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;
    expect(parseBody(nested(100))).toBeDefined();
    expect(parseBody(nested(102))).toBeUndefined();
  });

  it('with exact numbers may be nested just as deep, and not deeper', () => {
    const nested = (depth: number, value: string) => `${'['.repeat(depth)}${value}${']'.repeat(depth)}`;
    for (const value of ['1', '12345678901234567890']) {
      expect(JSON.stringify(parseBody(nested(100, value), true))).toBe(nested(100, value));
      expect(parseBody(nested(101, value), true)).toBeUndefined();
    }
    for (const depth of [10_000, 100_000]) expect(parseBody(nested(depth, '1e400'), true)).toBeUndefined();
    expect(parseBody('[1e400', true)).toBeUndefined();
  });

  it('has only its own fields, none of a prototype', () => {
    expect(fieldOf({ a: 1 }, 'a')).toBe(1);
    for (const value of [{}, null, undefined, 'text', 7]) expect(fieldOf(value, 'toString')).toBeUndefined();
  });
});

it('callers never see the auth token of a response, and see the end of its certificate only if there is one', () => {
  const headers = { server: 'nginx', 'x-auth-token': 'T-secret' };
  expect(httpInfo({ ...response, headers })).toEqual({ status: 429, headers: { server: 'nginx' }, requestId: 'id-1' });
  expect(httpInfo({ ...response, certificateEndsAt: 9 })).toHaveProperty('certificateEndsAt', new Date(9000));
});
