import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFlashBladeError } from '../../../lib/core/errors.ts';
import { METHODS } from '../../../lib/flashblade/http/request.ts';
import { allowedCalls, refuseUnlessAllowed } from '../../../lib/leases/call-array.ts';
import type { CallRequest } from '../../../lib/leases/requests.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { REST_1, REST_2 } from './flashblade-endpoints.ts';

type Method = CallRequest['method'];
const allows = (list: string, method: Method, path: string): boolean => {
  try {
    refuseUnlessAllowed(allowedCalls(list), { leaseId: 'job', method, path });
    return true;
  } catch (error) {
    if (!isFlashBladeError(error, 'REQUEST_INVALID')) throw error;
    return false;
  }
};

describe('the list of allowed calls', () => {
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
  ] as const)('the list "%s" allows %s %s: %s', (list, method, path, expected) => {
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
  ])('%s is never called, whatever the list says', (path) => {
    expect(allows('GET /api/**,POST /api/**', 'GET', path)).toBe(false);
    expect(allows('GET /api/**,POST /api/**', 'POST', path)).toBe(false);
  });

  const ALL = METHODS.map((method) => `${method} /api/**`).join();
  /** Endpoints of the table in docs/security.md, with the REST versions that have them. */
  const NEVER = tableRows('endpoint', page('security.md')).map(([name = '', , versions = '']) => ({
    endpoint: name.replaceAll('`', ''),
    inRest1: versions.startsWith('1'),
    inRest2: versions.includes('2.'),
  }));
  const below = (names: readonly string[], endpoint: string) =>
    names.some((name) => `${endpoint}/`.startsWith(`${name}/`));
  /** Allowed although an endpoint above them is not, as the table says. */
  const ALLOWED_BELOW = ['directory-services/local', 'directory-services/roles', 'directory-services/test'];
  ALLOWED_BELOW.push('snmp-agents/mib', 'snmp-managers/test');
  // Members of policies: only names of admins. Refused, as every path with "admins" is.
  const ADMINS_ELSEWHERE = ['management-access-policies/admins', 'ssh-certificate-authority-policies/admins'];

  it('an endpoint that returns a secret is never called, whatever the method, version, case and suffix', () => {
    const paths = NEVER.flatMap(({ endpoint, inRest1, inRest2 }) => [
      ...(inRest1 ? [`/api/1.12/${endpoint}`, `/api/1.0/${endpoint}`] : []),
      ...(inRest2
        ? [`/api/2.0/${endpoint}`, `/api/2.26/${endpoint}`, `/api/2.99/${endpoint}`, `/api/${endpoint}`]
        : []),
    ]);
    expect(paths.length).toBeGreaterThan(100);
    const spellings = paths.flatMap((path) => [
      path,
      `/api${path.slice(4).toUpperCase()}`,
      `${path}.json`,
      `${path}.`,
      `${path}/`,
      `${path}/below`,
      `${path};x`,
      path.replace('/api/', '/api//'),
    ]);
    const passed = spellings.flatMap((path) =>
      METHODS.filter((method) => allows(`${ALL},${method} ${path.replaceAll(/[^\w./-]/g, '*')}`, method, path)).map(
        (method) => `${method} ${path}`,
      ),
    );
    // Endpoints below the certificates of REST 1 return no secret.
    expect(passed.filter((call) => !/ \/api\/1[.\d]*\/certificates\/below$/i.test(call))).toEqual([]);
  });

  it("all other endpoints in the vendor's specifications can be allowed", () => {
    const refusedIn = (version: string, endpoints: readonly string[]) =>
      endpoints.filter((endpoint) => !allows('GET /api/**', 'GET', `/api/${version}/${endpoint}`));
    const expected = (endpoints: readonly string[], isIn: (one: (typeof NEVER)[number]) => boolean) => {
      const never = NEVER.filter(isIn).map(({ endpoint }) => endpoint);
      return endpoints.filter(
        (endpoint) =>
          (below(never, endpoint) && !below(ALLOWED_BELOW, endpoint) && !/^certificates\//.test(endpoint)) ||
          ADMINS_ELSEWHERE.includes(endpoint),
      );
    };
    expect(refusedIn('2.26', REST_2)).toEqual(expected(REST_2, ({ inRest2 }) => inRest2));
    expect(refusedIn('1.12', REST_1)).toEqual(expected(REST_1, ({ inRest1 }) => inRest1));
    expect(REST_2.length - refusedIn('2.26', REST_2).length).toBeGreaterThan(230);
  });

  it('the table in docs/security.md uses the names of the vendor', () => {
    for (const { endpoint, inRest1, inRest2 } of NEVER) {
      if (inRest2) expect(REST_2).toContain(endpoint);
      if (inRest1 && !['login', 'logout'].includes(endpoint)) expect(REST_1).toContain(endpoint);
    }
  });

  it.each([
    '/api/3.0/volumes/private-keys',
    '/api/2.99/recovery-keys',
    '/api/2.99/arrays/encryption-key',
    '/api/2.99/support/remote-assist-credentials',
    '/api/2.99/client_secret',
    '/api/2.99/service-tokens.json',
  ])('%s is never called, because its name marks a secret', (path) => {
    expect(allows(ALL, 'GET', path)).toBe(false);
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
  ])('the list cannot contain %j', (list) => {
    const rule =
      'a comma-separated list of "METHOD /api/path". * matches a segment or part of one, and ** at the end matches the rest';
    const message = `environment variable ALLOWED_CALLS must be ${rule}`;
    expect(() => allowedCalls(list)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });

  it('a call that is not allowed is refused with the rule', () => {
    const refused = (path: string) => () =>
      refuseUnlessAllowed(allowedCalls('GET /api/2.4/*'), { leaseId: 'job', method: 'GET', path });
    expect(refused('/api/2.4/admins')).toThrow(
      'call request: path must not be an endpoint for sessions, admins, keys, tokens, passwords or logs. call-array never calls such endpoints',
    );
    expect(refused('/api/2.4/a/b')).toThrow(
      'call request: method and path must be on the list of allowed calls (ALLOWED_CALLS)',
    );
  });

  it('a path is checked without delay, whatever it is', () => {
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
          // One of two fixed texts, so nothing of the path.
          expect((error as Error).message).toMatch(
            /^call request: (path must not be an endpoint for sessions, admins, keys, tokens, passwords or logs. call-array never calls such endpoints|method and path must be on the list of allowed calls \(ALLOWED_CALLS\))$/,
          );
        }
      }),
    );
  });
});
