/** The steps of scenarios: what callers and tests do with one version. */
import { expect } from 'vitest';
import type { Message } from '../../../lib/leases/dispatch.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import * as messages from '../../kit/memory/messages.ts';
import type { Fields, Version, World } from './world.ts';

/** `a` opens, `b` does something with it. `name` is an array and a lease id; only this scenario uses it. */
export type Actors = { readonly w: World; readonly a: Version; readonly b: Version; readonly name: string };

export const PAST = 1;
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const CALL = { method: 'GET', path: '/api/2.15/arrays' };

export const open = (version: Version, name: string, more: object = {}): Promise<Fields> =>
  version.invoke('login', { array: name, leaseId: name, ...more });
export const call = (version: Version, name: string): Promise<Fields> =>
  version.invoke('call-array', { leaseId: name, ...CALL });
export const renew = (version: Version, name: string, expiresAt: number): Promise<Fields> =>
  version.invoke('renew', { leaseId: name, expiresAt });
export const close = (version: Version, name: string): Promise<Fields> => version.invoke('logout', { leaseId: name });
export const sweep = (version: Version): Promise<Fields> => version.invoke('sweep-sessions', {});
export const refusedAs = (code: string) => expect.objectContaining({ name: code });

/** The array's slots by attempt. */
export const slots = async (w: World, name: string) => (await w.item(`array#${name}`))?.live ?? {};

const deliver = async (version: Version, message: Message): Promise<void> =>
  expect(await version.invoke('session-events', sqsEventOf([message]))).toEqual({ batchItemFailures: [] });
export const requested = (version: Version, detail: object) =>
  deliver(version, messages.requested(detail, crypto.randomUUID()));
export const executionEnded = (version: Version, owner: string) =>
  deliver(version, messages.executionEnded(owner, 'SUCCEEDED', crypto.randomUUID()));
export const published = (w: World, leaseId: string): string[] =>
  w.aws.events.sent.flatMap(({ detailType, detail }) => (Object(detail).leaseId === leaseId ? [detailType] : []));

export function loseSession(w: World): void {
  const [session] = w.simulator.sessions();
  expect(w.simulator.endSession(session?.authToken ?? '')).toBe(true);
}

/** Kills the process of a function when the array has made its session, and makes the attempt look dead. */
export async function dieAtLogin(
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
export async function dropSuspect({ w, a, name }: Actors): Promise<void> {
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
