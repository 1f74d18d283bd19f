import { describe, expect, it } from 'vitest';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../../lib/leases/requests.ts';

const refusal = (input: unknown): { code: string; message: string } => {
  try {
    parseLoginRequest(input, 'invocation');
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('The request was not refused');
};

describe('a request for a session', () => {
  it('a login request only needs the name of an array', () => {
    expect(parseLoginRequest({ array: 'fb1' }, 'invocation')).toStrictEqual({
      array: 'fb1',
      leaseId: 'invocation',
      leaseSeconds: 900,
    });
  });

  it('a login request may have a lease id, seconds and an owner', () => {
    const request = {
      array: 'fb-1.lab_2',
      leaseId: 'arn:aws:states:eu-west-1:1:execution:a:b',
      leaseSeconds: 60,
      owner: 'job 1'.replace(' ', '-'),
    };
    expect(parseLoginRequest(request, 'invocation')).toEqual(request);
  });

  it.each([
    ['array', {}],
    ['array', { array: '' }],
    ['array', { array: 5 }],
    ['array', { array: '../fb1' }],
    ['array', { array: 'fb1.example.com/evil' }],
    ['array', { array: 'user@fb1' }],
    ['array', { array: 'fb1\r\nx: y' }],
    ['array', { array: 'a'.repeat(65) }],
    ['leaseId', { array: 'fb1', leaseId: '' }],
    ['leaseId', { array: 'fb1', leaseId: 'a b' }],
    ['leaseId', { array: 'fb1', leaseId: 'é' }],
    ['leaseId', { array: 'fb1', leaseId: 'a'.repeat(513) }],
    ['leaseSeconds', { array: 'fb1', leaseSeconds: 59 }],
    ['leaseSeconds', { array: 'fb1', leaseSeconds: 86_401 }],
    ['leaseSeconds', { array: 'fb1', leaseSeconds: 100.5 }],
    ['leaseSeconds', { array: 'fb1', leaseSeconds: '900' }],
    ['owner', { array: 'fb1', owner: null }],
  ])('a login request with an invalid %s is refused with the rule', (field, input) => {
    const { code, message } = refusal(input);
    expect(code).toBe('REQUEST_INVALID');
    expect(message).toMatch(new RegExp(`^login request: ${field} must be `));
  });

  it.each([null, undefined, 'fb1', 5, [], [{ array: 'fb1' }]])(
    'a login request that is not an object is refused: %j',
    (input) => {
      expect(refusal(input).message).toMatch(/^login request: must be a JSON object(, not a list\.|$)/);
    },
  );

  it('a login request with an unknown field is refused, above all a host', () => {
    expect(refusal({ array: 'fb1', host: 'evil.example.com' }).message).toBe(
      'login request: has an unknown field: host (allowed: array, leaseId, leaseSeconds, owner)',
    );
    expect(refusal(JSON.parse('{"array":"fb1","__proto__":{"x":1}}')).message).toContain('an unknown field');
  });

  it('an error never repeats the input, not even a token in place of a name', () => {
    const token = 'T-00000000-1111-2222-3333-444444444444';
    for (const input of [
      { array: `${token} ` },
      { array: 'fb1', [token]: 1 },
      { array: 'fb1', leaseId: `${token} ` },
    ]) {
      expect(refusal(input).message).not.toContain(token);
    }
    expect(refusal({ array: 'fb1', [token]: 1 }).message).toBe(
      'login request: has an unknown field (allowed: array, leaseId, leaseSeconds, owner)',
    );
  });
});

const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';
const TOKEN = `T-${UUID}`;

describe('a name in a request', () => {
  const PARSERS = {
    login: (input: unknown) => parseLoginRequest(input, 'invocation'),
    logout: parseLogoutRequest,
    renew: parseRenewRequest,
    call: parseCallRequest,
    fleet: parseFleetRequest,
  };
  const CALL = { leaseId: 'job', method: 'GET', path: '/api/2.4/arrays' };

  it.each([
    ['login', 'array', { array: TOKEN }],
    ['login', 'array', { array: `fb1-${TOKEN.toLowerCase()}` }],
    ['login', 'leaseId', { array: 'fb1', leaseId: TOKEN }],
    ['login', 'leaseId', { array: 'fb1', leaseId: `job:${TOKEN}:1` }],
    ['login', 'owner', { array: 'fb1', owner: TOKEN }],
    ['logout', 'leaseId', { leaseId: TOKEN }],
    ['renew', 'leaseId', { leaseId: TOKEN, expiresAt: 1 }],
    ['call', 'leaseId', { ...CALL, leaseId: TOKEN }],
    ['call', 'path', { ...CALL, path: `/api/2.4/arrays/${TOKEN}` }],
    ['fleet', 'arrays.1', { arrays: ['fb1', TOKEN] }],
  ] as const)(
    'a %s request whose %s contains an API token is refused, and the error only names the field',
    (kind, field, input) => {
      const message = `${kind} request: ${field} must not contain anything that looks like an API token`;
      expect(() => PARSERS[kind](input)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID', message }));
    },
  );

  it('a name may be a UUID, or contain one', () => {
    for (const name of [UUID, `export-${UUID}`]) {
      const request = { array: name, leaseId: name, owner: name };
      expect(parseLoginRequest(request, 'invocation')).toMatchObject(request);
    }
  });
});

describe('a request to close a lease', () => {
  it('a logout request needs a lease id and has no other field', () => {
    expect(parseLogoutRequest({ leaseId: 'job' })).toEqual({ leaseId: 'job' });
    expect(() => parseLogoutRequest({})).toThrow('logout request: leaseId must be 1 to 512 visible ASCII characters');
    expect(() => parseLogoutRequest({ leaseId: 'job', force: true })).toThrow('an unknown field: force');
  });
});

describe('a request to renew a lease', () => {
  it('a renew request has the end of the lease as an absolute time', () => {
    expect(parseRenewRequest({ leaseId: 'job', expiresAt: 1_800_000_000 })).toEqual({
      leaseId: 'job',
      expiresAt: 1_800_000_000,
    });
    for (const expiresAt of [undefined, '1800000000', 1.5, 0, -1, 1e12]) {
      expect(() => parseRenewRequest({ leaseId: 'job', expiresAt })).toThrow(
        'renew request: expiresAt must be a whole number',
      );
    }
  });
});

describe('a request for a call', () => {
  const GET = { leaseId: 'job', method: 'GET', path: '/api/2.4/arrays' };

  it('a call request has a lease, a method and a path, and may have a query and a body', () => {
    expect(parseCallRequest(GET)).toStrictEqual(GET);
    const full = { ...GET, method: 'POST', query: { names: 'fs1', limit: 5, x: true }, body: { provisioned: 1 } };
    expect(parseCallRequest(full)).toEqual(full);
  });

  it('the error for another method lists all methods', () => {
    const message = 'call request: method must be one of GET, POST, PUT, PATCH, DELETE';
    expect(() => parseCallRequest({ ...GET, method: 'HEAD' })).toThrow(message);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('a call request may have the method %s', (method) => {
    expect(parseCallRequest({ ...GET, method }).method).toBe(method);
  });

  it.each([
    ['method', { method: 'HEAD' }],
    ['method', { method: 'get' }],
    ['path', { path: '/other' }],
    ['path', { path: '/api/a b' }],
    ['path', { path: 'https://evil.example.com/api/x' }],
    ['query', { query: 'a=b' }],
    ['query', { query: ['a'] }],
    ['query', { query: Array(101).fill('a') }],
    ['query', { query: null }],
    ['query.names', { query: { names: ['a'] } }],
  ])('a call request with an invalid %s is refused', (field, change) => {
    expect(() => parseCallRequest({ ...GET, ...change })).toThrow(`call request: ${field} must be `);
  });

  it('the query of a call may have 100 names, and no more', () => {
    const query = (names: number, value: unknown) =>
      Object.fromEntries(Array.from({ length: names }, (_, n) => [`name${n}`, value]));
    expect(parseCallRequest({ ...GET, query: query(100, 1) }).query).toEqual(query(100, 1));
    for (const value of [1, []]) {
      expect(() => parseCallRequest({ ...GET, query: query(500_000, value) })).toThrow(
        'call request: query must be a JSON object with at most 100 parameters',
      );
    }
  });

  it('a query with a name that JavaScript would drop is refused', () => {
    const query: unknown = JSON.parse('{"names":"fs1","__proto__":"x"}');
    expect(() => parseCallRequest({ ...GET, query })).toThrow('query must not have the name __proto__');
  });

  it('an error about a query repeats neither its names nor its values', () => {
    const query = { 'T-00000000-1111': [] };
    expect(() => parseCallRequest({ ...GET, query })).toThrow('call request: query.… must be a string');
  });
});
