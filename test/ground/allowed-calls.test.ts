import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedCalls, refuseUnlessAllowed } from '../../lib/ground/allowed-calls.ts';
import { isFlashBladeError } from '../../lib/ground/errors.ts';

type Method = 'GET' | 'POST' | 'DELETE';
const allows = (list: string, method: Method, path: string): boolean => {
  try {
    refuseUnlessAllowed(allowedCalls(list), { leaseId: 'job', method, path });
    return true;
  } catch (error) {
    if (!isFlashBladeError(error, 'REQUEST_INVALID')) throw error;
    return false;
  }
};

describe('the calls that are made for others', () => {
  it.each([
    ['GET /api/**', 'GET', '/api/2.4/arrays', true],
    ['GET /api/**', 'GET', '/api/2.4/file-systems/performance', true],
    ['GET /api/**', 'POST', '/api/2.4/file-systems', false],
    ['GET /api/2.*/arrays', 'GET', '/api/2.15/arrays', true],
    ['GET /api/2.*/arrays', 'GET', '/api/1.12/arrays', false],
    ['GET /api/2.*/arrays', 'GET', '/api/2.4/arrays/space', false],
    ['GET /api/2.4/arrays', 'GET', '/api/2x4/arrays', false],
    ['GET /api/2.4/*', 'GET', '/api/2.4/a/b', false],
    ['GET /api/2.4/file-*s', 'GET', '/api/2.4/file-systems', true],
    ['GET /api/2.4/file-*s', 'GET', '/api/2.4/file-system', false],
    ['GET /api/2.4/*-s*', 'GET', '/api/2.4/file-systems', true],
    ['GET /api/2.4/a*a', 'GET', '/api/2.4/a', false],
    ['GET /api/2.4/**s', 'GET', '/api/2.4/arrays', true],
    ['GET /api/2.4/**', 'GET', '/api/2.4', false],
    ['GET /api/2.4/**', 'GET', '/api/2.4/', false],
    ['GET /api/**', 'GET', '/api/2.4//arrays', false],
    ['GET /api/2.4/**', 'GET', '/api/2.4/arrays', true],
    ['GET /api/*/arrays', 'GET', '/api/2.4', false],
    ['GET /api/2.4/a*b', 'GET', '/api/2.4/ab', true],
    ['GET /api/2.4/*-*-*', 'GET', '/api/2.4/file-system-snapshots', true],
    ['GET /api/2.4/*-*-*', 'GET', '/api/2.4/file-systems', false],
    ['GET /api/2.4/*ab*ba', 'GET', '/api/2.4/abba', true],
    ['GET /api/2.4/*ab*ba', 'GET', '/api/2.4/aba', false],
    [' GET /api/2.4/arrays , POST /api/2.4/file-systems', 'POST', '/api/2.4/file-systems', true],
  ] as const)('"%s" for %s %s: %s', (list, method, path, expected) => {
    expect(allows(list, method, path)).toBe(expected);
  });

  it.each([
    '/api/login',
    '/api/logout',
    '/api/2.15/logout',
    '/api/2.15/LOGOUT',
    '/api/2.4/admins',
    '/api/2.4/admins/api-tokens',
    '/api/1.12/admins',
    '/api/2.4/api-clients',
    '/api/oauth2/1.0/token',
    '/api/logout.json',
    '/api/2.4/admins.',
  ])('never are %s, whatever the list says', (path) => {
    expect(allows('GET /api/**,POST /api/**', 'GET', path)).toBe(false);
    expect(allows('GET /api/**,POST /api/**', 'POST', path)).toBe(false);
  });

  it.each([
    '',
    'GET',
    '/api/**',
    'GET api/**',
    'get /api/**',
    'GET /other/**',
    'GET /api/**,',
    'GET /api/(a+)+',
    'FORGET /api/**',
    'GET /api/** x',
  ])('cannot be listed as %j', (list) => {
    const rule = 'a list of "METHOD /api/path", separated by commas; * is one segment, ** at the end the rest';
    const message = `environment variable ALLOWED_CALLS must be ${rule}`;
    expect(() => allowedCalls(list)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });

  it('are refused with the rule that they break', () => {
    const refused = (path: string) => () =>
      refuseUnlessAllowed(allowedCalls('GET /api/2.4/*'), { leaseId: 'job', method: 'GET', path });
    expect(refused('/api/2.4/admins')).toThrow('call request: path must not be one of sessions, admins or API tokens');
    expect(refused('/api/2.4/a/b')).toThrow(
      'call request: method and path must be on the list of allowed calls (ALLOWED_CALLS)',
    );
  });

  it('are judged at once, whatever path is asked for', () => {
    const many = `*${'-*'.repeat(20)}x`;
    const allowed = allowedCalls(`GET /api/2.4/**,GET /api/*/*-*-*/x,GET /api/${many}`);
    const tails = fc.oneof(
      fc.string({ maxLength: 1024 }),
      fc.integer({ max: 1019, min: 4 }).map((n) => '-'.repeat(n)),
    );
    fc.assert(
      fc.property(tails, (tail) => {
        try {
          refuseUnlessAllowed(allowed, { leaseId: 'job', method: 'GET', path: `/api/${tail}` });
        } catch (error) {
          expect(error).toMatchObject({ code: 'REQUEST_INVALID' });
          // One of two texts of ours, and so nothing of the path.
          expect((error as Error).message).toMatch(
            /^call request: (path must not be one of sessions, admins or API tokens|method and path must be on the list of allowed calls \(ALLOWED_CALLS\))$/,
          );
        }
      }),
    );
  });
});
