import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PIECE } from '../../kit/canary.ts';
import { errorOf } from '../../kit/lambda/outcome.ts';
import { eventsOf } from '../functions/logs.ts';
import { ECHOES } from './array.ts';
import { arrayCase, open } from './cases.ts';
import { someCases } from './matrix.ts';
import { runCases, startWorld, type World } from './world.ts';

let w: World;

beforeAll(async () => {
  w = await startWorld();
});

afterAll(() => w.stop());

describe('in all cases of arrays, secrets, AWS and callers that repeat a token', () => {
  test('no eight-character piece of a token appears anywhere, in any encoding', async () => {
    expect(await runCases(w, someCases())).toEqual([]);
    expect(await w.leaks()).toEqual([]);
  });

  test('the functions open sessions, fail in many ways, publish events and write dead letters', async () => {
    const visible = await w.visible();
    const codes = new Set(
      [...(visible['results and errors'] ?? '').matchAll(/"errorType":"([A-Z_]+)"/g)].map(([, code]) => code),
    );
    expect([...codes]).toEqual(
      expect.arrayContaining([
        ...['ANSWER_INVALID', 'ARRAY_BUSY', 'AWS_UNAVAILABLE', 'LOGIN_REFUSED', 'LOGIN_UNKNOWN', 'REQUEST_INVALID'],
        ...['SECRET_INVALID', 'SECRET_UNAVAILABLE'],
      ]),
    );
    expect(codes).not.toContain('INTERNAL');
    expect(w.array.opened.length).toBeGreaterThan(50);
    expect(visible['dead letters']).toContain('REQUEST_INVALID');
    expect(visible['events on the bus']).toContain('Session Failed');
    expect(eventsOf(w.d.lambdaOf('login').output, 'LoginSucceeded').length).toBeGreaterThan(10);
  });
});

describe('the search of the cases', () => {
  test('finds a token in the result and the ledger if an array returns it in hex as the username', async () => {
    const [leak] = await runCases(w, [arrayCase('login', 'the username', 'in hex')]);
    expect(leak).toMatch(/told in results and errors, what AWS was sent$/);
    expect(await w.leaks()).toEqual(['results and errors', 'what AWS was sent', 'the ledger']);
  });

  test('finds a token in a request to the array outside the token headers', async () => {
    const token = w.apiToken.slice(-PIECE);
    const before = w.mark();
    const name = w.addArray();
    await open(w, name);
    await w.invoke('call-array', { leaseId: name, method: 'GET', path: '/api/2.15/arrays', query: { filter: token } });
    expect(w.leaksBetween(before, w.mark())).toEqual(['what the array was sent beside tokens']);
  });

  test('fails for a case that sends no request to the array', async () => {
    await expect(
      w.array.answering(
        '/api/login',
        () => ECHOES['a line that is not HTTP']?.('', '') ?? '',
        async () => {},
      ),
    ).rejects.toThrow('was not asked');
  });

  test('fails for a case that does not call AWS', async () => {
    const nothing = { status: 200, headers: {}, body: '' };
    await expect(w.awsAnswering('kms', nothing, () => w.invoke('login', {}))).rejects.toThrow('kms was not asked');
    expect(errorOf(await w.invoke('login', {})).errorType).toBe('REQUEST_INVALID');
  });
});
