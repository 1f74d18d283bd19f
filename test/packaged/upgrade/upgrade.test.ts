/** While a stack is updated or rolled back, functions of two versions work on the same leases. */
import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../../lib/leases/dispatch.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import * as messages from '../../kit/memory/messages.ts';
import { bundlesOf, CONTROLS, type Control, INTERLEAVING_CONTROLS } from './controls.ts';
import { interleave } from './interleaving.ts';
import { changed, unpackPrevious } from './previous.ts';
import { type Fields, failuresIn, leftIn, SESSIONS_PER_ARRAY, startWorld, type Version, type World } from './world.ts';

/** `a` opens, `b` does something with it. `name` is an array and a lease id; only this scenario uses it. */
type Actors = { readonly w: World; readonly a: Version; readonly b: Version; readonly name: string };

const PAST = 1;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const CALL = { method: 'GET', path: '/api/2.15/arrays' };

const open = (version: Version, name: string, more: object = {}): Promise<Fields> =>
  version.invoke('login', { array: name, leaseId: name, ...more });
const call = (version: Version, name: string): Promise<Fields> =>
  version.invoke('call-array', { leaseId: name, ...CALL });
const renew = (version: Version, name: string, expiresAt: number): Promise<Fields> =>
  version.invoke('renew', { leaseId: name, expiresAt });
const close = (version: Version, name: string): Promise<Fields> => version.invoke('logout', { leaseId: name });
const sweep = (version: Version): Promise<Fields> => version.invoke('sweep-sessions', {});
const refusedAs = (code: string) => expect.objectContaining({ name: code });

/** The array's slots by attempt. */
const slots = async (w: World, name: string) => (await w.item(`array#${name}`))?.live ?? {};

const deliver = async (version: Version, message: Message): Promise<void> =>
  expect(await version.invoke('session-events', sqsEventOf([message]))).toEqual({ batchItemFailures: [] });
const requested = (version: Version, detail: object) =>
  deliver(version, messages.requested(detail, crypto.randomUUID()));
const executionEnded = (version: Version, owner: string) =>
  deliver(version, messages.executionEnded(owner, 'SUCCEEDED', crypto.randomUUID()));
const published = (w: World, leaseId: string): string[] =>
  w.aws.events.sent.flatMap(({ detailType, detail }) => (Object(detail).leaseId === leaseId ? [detailType] : []));

function loseSession(w: World): void {
  const [session] = w.simulator.sessions();
  expect(w.simulator.endSession(session?.authToken ?? '')).toBe(true);
}

/** Kills the process of a function when the array has made its session, and makes the attempt look dead. */
async function dieAtLogin(
  { w, a, name }: Actors,
  of: 'login' | 'call-array',
  work: () => Promise<Fields>,
): Promise<void> {
  w.watchArray(async (phase, { path }) => {
    if (phase === 'done' && path === '/api/login') await a.kill(of);
  });
  await expect(work()).rejects.toEqual(refusedAs('SIGKILL'));
  w.watchArray(undefined);
  await w.change(`lease#${name}`, { openingUntil: PAST, dueAt: PAST });
}

/** `a` drops the SUSPECT that `b` has recorded, once the array has ended its session. */
async function dropSuspect({ w, a, name }: Actors): Promise<void> {
  const suspects = await w.suspects(name);
  expect(suspects).toHaveLength(1);
  const { id = '', attemptId = '' } = suspects[0] ?? {};
  const session = w.simulator.sessions().find(({ requestId }) => requestId === attemptId);
  expect(w.simulator.endSession(session?.authToken ?? '')).toBe(true);
  expect(await slots(w, name)).toHaveProperty(attemptId);
  await w.change(id, { until: PAST, dueAt: PAST });
  await sweep(a);
  expect(await w.item(id)).toBeUndefined();
}

/** Each key completes the sentence `what one version leaves, the other …`. */
const SCENARIOS: Readonly<Record<string, (actors: Actors) => Promise<void>>> = {
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

  "unseals and closes, even if the CA's text in the secret has other line breaks than usual": async ({
    w,
    a,
    b,
    name,
  }) => {
    const pem = w.simulator.certificate;
    w.addArray(name, { trust: { ca: `\r\n${pem.replaceAll('\n', '\r\n')}\r\n\r\n${pem}` } });
    await open(a, name);
    expect(await call(b, name)).toMatchObject({ status: 200 });
    loseSession(w);
    expect(await call(b, name)).toMatchObject({ status: 200 });
    expect(await close(b, name)).toMatchObject({ outcome: 'CLOSED' });
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

let directory: string;
let previous: ReturnType<typeof unpackPrevious>;
let w: World;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'flashblade-previous-'));
  previous = unpackPrevious(directory);
  w = await startWorld(previous);
});

afterAll(async () => {
  await w.stop();
  rmSync(directory, { recursive: true });
});

/** Runs a scenario. In the end no session, slot or lease may be left, and no function may have logged a failure of its own. */
async function prove(title: string, actors: Actors): Promise<void> {
  const { w, name } = actors;
  await w.reset();
  w.addArray(name);
  const before = failuresIn(w);
  await SCENARIOS[title]?.(actors);
  expect([...(await leftIn(w)), ...failuresIn(w, before)]).toEqual([]);
}

describe.each([
  ['previous', 'today'],
  ['today', 'previous'],
  // The owner of the stack sets dueShards to 16, or to 1 again.
  ['today', 'sharded'],
  ['sharded', 'today'],
] as const)('what version "%s" leaves, version "%s"', (leaves, acts) => {
  test.each(Object.keys(SCENARIOS))('%s', async (title) => {
    const name = `${leaves}-${acts}-${Object.keys(SCENARIOS).indexOf(title)}`;
    await prove(title, { w, a: w[leaves], b: w[acts], name });
  });
});

/** The previous version's sweep does not find these entries. Everything else works. */
const NOT_SWEPT_BY_PREVIOUS = [
  'sweeps when the lease has expired',
  'turns into a SUSPECT in a sweep, after the process has died',
  'turns into a SUSPECT, after the process has died in a relogin',
  'closes in a sweep when the lease is STUCK',
];

test('version "previous" can do everything with a lease in a shard, except find it in a sweep', async () => {
  const failed: string[] = [];
  for (const title of Object.keys(SCENARIOS)) {
    const name = `rolled-back-${Object.keys(SCENARIOS).indexOf(title)}`;
    await prove(title, { w, a: w.sharded, b: w.previous, name }).catch(() => failed.push(title));
  }
  expect(failed).toEqual(NOT_SWEPT_BY_PREVIOUS);
});

/** The ids of the items whose index entries are in a partition with such a name. */
const inPartition = async (name: RegExp): Promise<unknown[]> =>
  (await w.items()).flatMap((item) => (name.test(Object(item).duePartition) ? [item.id] : []));
const SHARD = /^due#\d+$/;

test('with dueShards 16, the partition of version "previous" is swept until it is empty', async () => {
  await w.reset();
  w.addArray('moved');
  for (const n of [1, 2]) await open(w.previous, `moved-${n}`, { array: 'moved' });
  expect(await inPartition(/^due$/)).toHaveLength(3);
  await w.change('lease#moved-1', { expiresAt: PAST, dueAt: PAST });
  expect(await sweep(w.sharded)).toMatchObject({ live: 2, expired: 1, closed: 1 });
  await renew(w.sharded, 'moved-2', nowSeconds() + 1200);
  await w.change('array#moved', { dueAt: PAST });
  await sweep(w.sharded);
  expect(await inPartition(/^due$/)).toEqual([]);
  expect(await inPartition(SHARD)).toHaveLength(2);
  await close(w.sharded, 'moved-2');
  expect(await leftIn(w)).toEqual([]);
});

test('after dueShards is 1 again, every shard becomes empty, and version "previous" then sweeps everything', async () => {
  await w.reset();
  w.addArray('emptied');
  await open(w.sharded, 'emptied-1', { array: 'emptied' });
  await open(w.sharded, 'emptied-2', { array: 'emptied' });
  expect(await inPartition(SHARD)).toHaveLength(3);
  expect(await sweep(w.previous)).toMatchObject({ live: 0 });
  expect(await sweep(w.today)).toMatchObject({ live: 2 });

  await w.change('lease#emptied-1', { expiresAt: PAST, dueAt: PAST });
  expect(await sweep(w.today)).toMatchObject({ expired: 1, closed: 1 });
  await renew(w.today, 'emptied-2', nowSeconds() + 1200);
  await w.change('array#emptied', { dueAt: PAST });
  await sweep(w.today);
  expect(await inPartition(SHARD)).toEqual([]);

  await open(w.today, 'emptied-3', { array: 'emptied' });
  for (const n of [2, 3]) await w.change(`lease#emptied-${n}`, { expiresAt: PAST, dueAt: PAST });
  expect(await sweep(w.previous)).toMatchObject({ live: 2, closed: 2, left: 0 });
  expect(await leftIn(w)).toEqual([]);
});

test.each([
  { seed: 1, versions: ['today', 'previous'] as const },
  { seed: 1, versions: ['sharded', 'today'] as const },
  { seed: 1, versions: ['sharded', 'previous'] as const },
])(
  'at work on the same leases at the same time, both versions lose no session, keep the limit, and close everything ($versions, seed $seed)',
  async ({ seed, versions }) => {
    expect(await interleave(w, { seed, calls: 200, versions })).toEqual([]);
  },
);

describe('the test fails if', () => {
  const startChanged = async (control: Control): Promise<World> => {
    const { bundles, remove } = await bundlesOf(control);
    onTestFinished(async () => void (await remove()));
    const world = await startWorld(previous, bundles);
    onTestFinished(world.stop);
    return world;
  };

  test.each(Object.entries(CONTROLS))('%s', async (_, control) => {
    const changed = await startChanged(control);
    const { today, previous } = changed;
    await prove(control.scenario, { w: changed, a: today, b: today, name: 'alone' });
    const outcome = prove(control.scenario, { w: changed, a: today, b: previous, name: 'together' });
    expect(await outcome.catch(String)).toMatch(control.complaint);
  });

  test.each(Object.entries(INTERLEAVING_CONTROLS))('%s', async (_, control) => {
    const wrong = await interleave(await startChanged(control), { seed: 1, calls: 150 });
    expect(wrong.join('\n')).toMatch(control.complaint);
  });

  test('a kept function is changed, missing or added', () => {
    expect(changed(directory)).toEqual([]);
    const copy = mkdtempSync(join(tmpdir(), 'flashblade-previous-'));
    onTestFinished(() => rmSync(copy, { recursive: true }));
    appendFileSync(unpackPrevious(copy).logout, ' ');
    renameSync(join(copy, 'login.mjs'), join(copy, 'another.mjs'));
    expect(changed(copy)).toEqual(['another.mjs', 'login.mjs', 'logout.mjs']);
  });
});
