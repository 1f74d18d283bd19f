/** What one version does with what the other has left in the ledger. */
import { expect } from 'vitest';
import {
  type Actors,
  call,
  close,
  dieAtLogin,
  dropSuspect,
  executionEnded,
  loseSession,
  nowSeconds,
  open,
  PAST,
  published,
  refusedAs,
  renew,
  requested,
  slots,
  sweep,
} from './steps.ts';
import { SESSIONS_PER_ARRAY, type Version } from './world.ts';

export type Scenario = (actors: Actors) => Promise<void>;

/** Each key completes the sentence `what one version leaves, the other …`. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'serves as the open lease of an equal request, and refuses others': async ({ w, a, b, name }) => {
    const opened = await open(a, name, { owner: name });
    expect(await open(b, name, { owner: name })).toEqual(opened);
    expect(w.simulator.sessions()).toHaveLength(1);
    await expect(open(b, name, { owner: 'another' })).rejects.toEqual(refusedAs('LEASE_CONFLICT'));
    await close(b, name);
    await expect(open(a, name, { owner: name })).rejects.toEqual(refusedAs('LEASE_ENDED'));
  },

  'renews, calls and closes': async ({ w, a, b, name }) => {
    const { expiresAt } = (await open(a, name)) as { expiresAt: number };
    expect(await renew(b, name, expiresAt + 60)).toMatchObject({ expiresAt: expiresAt + 60 });
    expect(await call(b, name)).toMatchObject({ status: 200 });
    expect(await renew(a, name, expiresAt + 120)).toMatchObject({ expiresAt: expiresAt + 120 });
    expect(w.simulator.sessions()).toHaveLength(1);
    expect(await close(b, name)).toMatchObject({ outcome: 'CLOSED' });
    expect(await close(a, name)).toMatchObject({ outcome: 'ALREADY_CLOSED' });
  },

  'sweeps when the lease has expired': async ({ w, a, b, name }) => {
    await open(a, name);
    await w.change(`lease#${name}`, { expiresAt: PAST, dueAt: PAST });
    expect(await sweep(b)).toMatchObject({ expired: 1, closed: 1, left: 0 });
    await expect(renew(a, name, nowSeconds() + 900)).rejects.toEqual(refusedAs('LEASE_ENDED'));
  },

  'gets a new session for, after the array has dropped it': async ({ w, a, b, name }) => {
    await open(a, name);
    loseSession(w);
    expect(await call(b, name)).toMatchObject({ status: 200 });
    expect(await call(a, name)).toMatchObject({ status: 200 });
    expect(w.simulator.sessions()).toHaveLength(1);
    expect(await close(a, name)).toMatchObject({ outcome: 'CLOSED' });
  },

  'turns into a SUSPECT in a sweep, after the process has died': async (actors) => {
    const { w, a, b, name } = actors;
    await dieAtLogin(actors, 'login', () => open(a, name));
    await sweep(b);
    expect(await w.lease(name)).toBeUndefined();
    await dropSuspect(actors);
  },

  'turns into a SUSPECT at an equal request, after the process has died': async (actors) => {
    const { a, b, name } = actors;
    await dieAtLogin(actors, 'login', () => open(a, name));
    await open(b, name);
    await dropSuspect(actors);
    expect(await close(a, name)).toMatchObject({ outcome: 'CLOSED' });
  },

  'turns into a SUSPECT at its release, after the process has died': async (actors) => {
    const { a, b, name } = actors;
    await dieAtLogin(actors, 'login', () => open(a, name));
    expect(await close(b, name)).toMatchObject({ outcome: 'SUSPECT' });
    await dropSuspect(actors);
  },

  'turns into a SUSPECT, after the process has died in a relogin': async (actors) => {
    const { w, a, b, name } = actors;
    await open(a, name);
    loseSession(w);
    await dieAtLogin(actors, 'call-array', () => call(a, name));
    await expect(open(b, name)).rejects.toEqual(refusedAs('LEASE_OPENING'));
    await sweep(b);
    expect(await w.lease(name)).toMatchObject({ state: 'CLOSED' });
    await dropSuspect(actors);
  },

  "closes when the lease's owner ends": async ({ w, a, b, name }) => {
    await requested(a, { array: name, leaseId: name, owner: name });
    await executionEnded(b, name);
    await executionEnded(a, name);
    expect(published(w, name)).toEqual(['Session Opened', 'Session Closed', 'Session Closed']);
    await requested(a, { array: name, leaseId: `${name}-late`, owner: name });
    expect(published(w, `${name}-late`)).toEqual(['Session Failed']);
    await w.change(`owner#${name}`, { endedAt: PAST, dueAt: PAST });
    await sweep(a);
    expect(await w.item(`owner#${name}`)).not.toHaveProperty('dueAt');
    await expect(open(a, `${name}-later`, { array: name, owner: name })).rejects.toEqual(refusedAs('LEASE_ENDED'));
  },

  'counts as sessions of the array': async ({ w, a, b, name }) => {
    const openNth = (version: Version, n: number) => open(version, `${name}-${n}`, { array: name });
    await openNth(a, 1);
    await openNth(b, 2);
    expect(w.simulator.sessions()).toHaveLength(SESSIONS_PER_ARRAY);
    for (const version of [a, b]) await expect(openNth(version, 3)).rejects.toEqual(refusedAs('LEASE_LIMIT'));
    await close(b, `${name}-1`);
    await openNth(a, 4);
    await expect(openNth(b, 5)).rejects.toEqual(refusedAs('LEASE_LIMIT'));
    await close(a, `${name}-2`);
    await close(b, `${name}-4`);
  },

  'still counts as a session of the array after a sweep of its slots': async ({ w, a, b, name }) => {
    await open(a, name);
    const live = Object.entries(await slots(w, name)).map(([attempt, slot]) => [
      attempt,
      { ...Object(slot), until: PAST },
    ]);
    await w.change(`array#${name}`, { live: Object.fromEntries(live), dueAt: PAST });
    await sweep(b);
    expect(Object.keys(await slots(w, name))).toEqual([w.simulator.sessions()[0]?.requestId]);
    await close(b, name);
  },

  'knows as released before the request': async ({ w, a, b, name }) => {
    expect(await close(a, name)).toEqual({ leaseId: name, outcome: 'NEVER_OPENED' });
    const requests = w.simulator.requests.length;
    await expect(open(b, name)).rejects.toEqual(refusedAs('LEASE_ENDED'));
    expect(w.simulator.requests).toHaveLength(requests);
  },

  'obeys as the refusal of an API token, until the secret changes': async ({ w, a, b, name }) => {
    w.addArray(name, { apiToken: 'T-00000000-1111-2222-3333-444444444444' });
    await expect(open(a, name)).rejects.toEqual(refusedAs('LOGIN_REFUSED'));
    const requests = w.simulator.requests.length;
    await expect(open(b, name)).rejects.toEqual(refusedAs('LOGIN_REFUSED'));
    expect(w.simulator.requests).toHaveLength(requests);
    w.addArray(name);
    await open(b, name);
    await close(a, name);
  },

  'closes after a logout that failed': async ({ w, a, b, name }) => {
    await open(a, name);
    w.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout', times: 1 });
    await expect(close(a, name)).rejects.toEqual(refusedAs('ARRAY_BUSY'));
    expect(await w.lease(name)).toMatchObject({ state: 'CLOSING', tries: 1 });
    expect(await close(b, name)).toMatchObject({ outcome: 'CLOSED' });
  },

  'closes in a sweep when the lease is STUCK': async ({ w, a, b, name }) => {
    await open(a, name);
    w.simulator.faults.add({ kind: 'answer', act: false, status: 302, path: '/api/logout', times: 1 });
    await expect(close(a, name)).rejects.toEqual(refusedAs('ANSWER_INVALID'));
    expect(await w.lease(name)).toMatchObject({ state: 'STUCK' });
    expect(await sweep(b)).toMatchObject({ stuck: 1, closed: 1 });
  },

  'finds known in a check of the fleet': async ({ w, a, b, name }) => {
    await open(a, name);
    const result = await b.invoke('check-fleet', { arrays: [name] });
    expect(result).toMatchObject({ checked: 1, healthy: 1, unknownSessions: 0 });
    expect(w.simulator.sessions()).toHaveLength(1);
    await close(b, name);
  },

  'reads and replaces, in turns': async ({ w, a, b, name }) => {
    await open(a, name);
    await renew(b, name, nowSeconds() + 1000);
    loseSession(w);
    await call(a, name);
    await renew(b, name, nowSeconds() + 1100);
    // A refusal within a minute after a relogin counts as a missing permission.
    await w.change(`lease#${name}`, { reloginAt: PAST });
    loseSession(w);
    await call(b, name);
    w.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout', times: 2 });
    await expect(close(a, name)).rejects.toEqual(refusedAs('ARRAY_BUSY'));
    await expect(close(b, name)).rejects.toEqual(refusedAs('ARRAY_BUSY'));
    expect(await w.lease(name)).toMatchObject({ state: 'CLOSING', tries: 2 });
    expect(await sweep(a)).toMatchObject({ closed: 1 });
  },
};
