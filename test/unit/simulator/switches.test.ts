import { describe, expect, it } from 'vitest';
import { as, authTokenOf, call, clock, login, logout, simulate } from '../../../simulator/support.ts';

const MINUTE_MS = 60_000;
const read = (array: Awaited<ReturnType<typeof simulate>>, authToken: string) =>
  call(array, 'GET', '/api/2.4/arrays', as(authToken));

describe('switches for undocumented behavior', () => {
  it.each([400, 401, 403] as const)('the status of a refused login can be set to %i', async (refusedLoginStatus) => {
    const array = await simulate({ refusedLoginStatus });
    expect(await login(array, 'T-wrong')).toMatchObject({
      status: refusedLoginStatus,
      body: expect.stringContaining(`"code":${refusedLoginStatus}`),
    });
  });

  it.each([401, 403] as const)(
    'the status of a request with a dead auth token can be set to %i',
    async (deadSessionStatus) => {
      const array = await simulate({ deadSessionStatus });
      expect(await logout(array, 'dead')).toMatchObject({ status: deadSessionStatus });
      expect(await read(array, 'dead')).toMatchObject({ status: deadSessionStatus });
    },
  );

  it('a session ends after 30 idle minutes, and every use extends it', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now });
    const authToken = await authTokenOf(array);
    for (let use = 0; use < 3; use++) {
      forward(30 * MINUTE_MS - 1);
      expect(await read(array, authToken)).toMatchObject({ status: 200 });
    }
    const lastUse = now();
    forward(30 * MINUTE_MS);
    expect(array.sessions()).toEqual([]);
    expect(array.history).toMatchObject([{ ended: { by: 'idleness', at: lastUse + 30 * MINUTE_MS } }]);
    expect(await read(array, authToken)).toMatchObject({ status: 403 });
    expect(await logout(array, authToken)).toMatchObject({ status: 403 });
  });

  it('the use of an idle session also ends it', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now, idleTimeoutMs: 5 * MINUTE_MS });
    const authToken = await authTokenOf(array);
    forward(5 * MINUTE_MS);
    expect(await read(array, authToken)).toMatchObject({ status: 403 });
  });

  it('the idle time counts from the login if use does not extend a session', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now, useExtendsSession: false });
    const authToken = await authTokenOf(array);
    forward(20 * MINUTE_MS);
    expect(await read(array, authToken)).toMatchObject({ status: 200 });
    forward(10 * MINUTE_MS);
    expect(await read(array, authToken)).toMatchObject({ status: 403 });
  });

  it('an idle session never ends if the idle timeout is 0', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now, idleTimeoutMs: 0 });
    await login(array);
    forward(1e12);
    expect(array.sessions()).toHaveLength(1);
  });

  it('a session ends at its maximum age, even if it is in use', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now, maxSessionAgeMs: 25 * MINUTE_MS });
    const authToken = await authTokenOf(array);
    forward(24 * MINUTE_MS);
    await read(array, authToken);
    forward(MINUTE_MS);
    expect(array.sessions()).toEqual([]);
    expect(array.history).toMatchObject([{ ended: { by: 'age' } }]);
  });

  it('a login beyond the maximum number of sessions fails because the server is busy', async () => {
    const array = await simulate({ maxSessions: 1 });
    const authToken = await authTokenOf(array);
    expect(await login(array)).toMatchObject({ status: 500, body: expect.stringContaining('Server is busy') });
    await logout(array, authToken);
    expect(await login(array)).toMatchObject({ status: 200 });
  });

  it('too many consecutive refused logins lock the array for a limited time', async () => {
    const { now, forward } = clock();
    const array = await simulate({ now, maxLoginAttempts: 2, lockoutMs: MINUTE_MS });
    for (let round = 0; round < 2; round++) {
      await login(array, 'T-wrong');
      expect(await login(array)).toMatchObject({ status: 200 });
    }
    await login(array, 'T-wrong');
    await login(array, 'T-wrong');
    expect(await login(array)).toMatchObject({ status: 401 });
    forward(MINUTE_MS);
    expect(await login(array)).toMatchObject({ status: 200 });
  });
});
