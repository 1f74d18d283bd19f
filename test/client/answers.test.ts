import { describe, expect, it } from 'vitest';
import { busy, fieldOf, parseJson, retryAfterSeconds } from '../../lib/edges/flashblade/answers.ts';
import { httpInfo } from '../../lib/edges/flashblade/calls.ts';
import { arrayAt } from './servers.ts';

const NOW = Date.parse('2026-11-24T05:00:00Z');
const array = arrayAt({ port: 443 });
const answer = { status: 429, headers: {}, body: Buffer.from(''), requestId: 'id-1', certificateEndsAt: undefined };

describe('how long an array wants to be left alone', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '30' }, 30],
    ['no time', { 'retry-after': '0' }, 0],
    ['a day at the most', { 'retry-after': '999999999' }, 86_400],
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
  ])('is told by %s', (_, headers, expected) => {
    expect(retryAfterSeconds(headers, NOW)).toBe(expected);
  });

  it('is a second that has begun when a date lies between two', () => {
    expect(retryAfterSeconds({ 'retry-after': 'Tue, 24 Nov 2026 05:00:09 GMT' }, NOW + 1)).toBe(9);
    expect(retryAfterSeconds({ 'retry-after': 'Tue, 24 Nov 2026 05:00:09 GMT' }, NOW + 1000)).toBe(8);
  });

  it('is in the facts of the error only if it was told', () => {
    const told = (headers: Record<string, string>) => ({
      action: 'a logout',
      answer: { ...answer, headers },
      advice: 'wait',
    });
    expect(busy(array, told({}), { mayHaveOpened: false })).toMatchObject({
      code: 'ARRAY_BUSY',
      message: 'array fb1 (localhost:443) answered 429 to a logout: wait',
    });
    expect(busy(array, told({}), { mayHaveOpened: false }).facts).toEqual({
      status: 429,
      sent: true,
      mayHaveOpened: false,
    });
    expect(busy(array, told({ 'retry-after': '3' })).facts).toEqual({ status: 429, sent: true, retryAfterSeconds: 3 });
  });
});

describe('the body of an answer', () => {
  it('is JSON, or nothing', () => {
    expect([parseJson('{"a":1}'), parseJson('null'), parseJson('{')]).toEqual([{ a: 1 }, null, undefined]);
  });

  it('may be nested a hundred deep, in lists and objects', () => {
    const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;
    expect(parseJson(nested(100))).toBeDefined();
    expect(parseJson(nested(102))).toBeUndefined();
  });

  it('has only the fields that are its own', () => {
    expect(fieldOf({ a: 1 }, 'a')).toBe(1);
    for (const value of [{}, null, undefined, 'text', 7]) expect(fieldOf(value, 'toString')).toBeUndefined();
  });
});

it('what callers see of an answer is never the auth token, and its certificate only if there was one', () => {
  const headers = { server: 'nginx', 'x-auth-token': 'T-secret' };
  expect(httpInfo({ ...answer, headers })).toEqual({ status: 429, headers: { server: 'nginx' }, requestId: 'id-1' });
  expect(httpInfo({ ...answer, certificateEndsAt: 9 })).toHaveProperty('certificateEndsAt', 9);
});
