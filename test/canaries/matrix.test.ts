import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorOf } from '../functions/deployment.ts';
import { eventsOf } from '../functions/logs.ts';
import { arrayCase } from './array-cases.ts';
import { open } from './asking.ts';
import { PIECE } from './canary.ts';
import { ECHOES } from './echoes.ts';
import { someCases } from './matrix.ts';
import { runCases } from './run.ts';
import { startWorld, type World } from './world.ts';

let w: World;

beforeAll(async () => {
  w = await startWorld();
});

afterAll(() => w.stop());

describe('whatever an array, its secret, AWS or a caller does', () => {
  test('no token is told anywhere, in no shape and in no part of eight characters', async () => {
    expect(await runCases(w, someCases())).toEqual([]);
    expect(await w.leaks()).toEqual([]);
  });

  test('and the functions were at work meanwhile: sessions, failures of many kinds, events, dead letters', async () => {
    const told = await w.told();
    const codes = new Set(
      [...(told['results and errors'] ?? '').matchAll(/"errorType":"([A-Z_]+)"/g)].map(([, code]) => code),
    );
    expect([...codes]).toEqual(
      expect.arrayContaining([
        ...['ANSWER_INVALID', 'ARRAY_BUSY', 'AWS_UNAVAILABLE', 'LOGIN_REFUSED', 'LOGIN_UNKNOWN', 'REQUEST_INVALID'],
        ...['SECRET_INVALID', 'SECRET_UNAVAILABLE'],
      ]),
    );
    expect(codes).not.toContain('INTERNAL');
    expect(w.array.opened.length).toBeGreaterThan(50);
    expect(told['dead letters']).toContain('REQUEST_INVALID');
    expect(told['events on the bus']).toContain('Session Failed');
    expect(eventsOf(w.lambda('login').output, 'LoginSucceeded').length).toBeGreaterThan(10);
  });
});

describe('the matrix finds a token', () => {
  test('in the result and the ledger, if an array spells it as a name that the product does not know it in', async () => {
    const [told] = await runCases(w, [arrayCase('login', 'the username', 'in hex')]);
    expect(told).toMatch(/told in results and errors, what AWS was sent$/);
    expect(await w.leaks()).toEqual(['results and errors', 'what AWS was sent', 'the ledger']);
  });

  test('on the wire beside its header', async () => {
    const token = w.apiToken.slice(-PIECE);
    const before = w.mark();
    const name = w.newName();
    w.addArray(name);
    await open(w, name);
    await w.invoke('call-array', { leaseId: name, method: 'GET', path: '/api/2.15/arrays', query: { filter: token } });
    expect(w.toldBetween(before, w.mark())).toEqual(['what the array was sent beside tokens']);
  });

  test('nowhere if the array was not asked: such a case fails', async () => {
    await expect(
      w.array.answering(
        '/api/login',
        () => ECHOES['no HTTP']?.('', '') ?? '',
        async () => {},
      ),
    ).rejects.toThrow('was not asked');
  });

  test('nowhere if AWS was not asked: such a case fails', async () => {
    const nothing = { status: 200, body: '' };
    await expect(w.relay.answering('kms', nothing, () => w.invoke('login', {}))).rejects.toThrow('kms was not asked');
    expect(errorOf(await w.invoke('login', {})).errorType).toBe('REQUEST_INVALID');
  });
});
