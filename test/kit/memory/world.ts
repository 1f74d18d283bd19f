/**
 * An in-memory world for one test: two arrays with their secrets, a ledger, and a stopped clock.
 *
 *     const w = world();
 *     w.once('login', loseResponse(unreachable(true)));
 *     await expect(openSession(w.ports, request, w.deadline())).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
 *     expect(w.calls).toContain('write suspect');
 *     w.pass(60);
 *
 * Related files: `fleet.ts` has the arrays, secrets and ledger behind the ports, with any clock. `hook.ts` turns calls into values.
 * `faults.ts` makes calls fail, and `slow.ts` makes calls slow. `memory-outbox.ts` and `messages.ts` are for the queue.
 */
import type { Report } from '../../../lib/core/reports.ts';
import { type LeaseItem, leaseKey, type Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { OpenRequest } from '../../../lib/leases/requests.ts';
import { memoryExecutions } from './executions.ts';
import type { Fault } from './faults.ts';
import { memoryFleet, portsOver } from './fleet.ts';
import type { Call, Hook } from './hook.ts';

export type { LiveSession } from '../../../lib/testing/arrays.ts';
export { awsDown, busy, fail, hang, loseResponse, refused, unreachable } from './faults.ts';

export const API_TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const START_MS = 1_800_000_000_000;

export type World = ReturnType<typeof world>;

export function world({ sessionsPerArray = 50 } = {}) {
  let nowMs = START_MS;
  let ids = 0;
  const now = (): number => nowMs;
  const fleet = memoryFleet({ now });
  const { arrays, secrets, store } = fleet;
  const calls: string[] = [];
  const faults = new Map<string, Fault[]>();
  const reports: Report[] = [];

  const hook: Hook = async <T>(call: Call<T>): Promise<T> => {
    calls.push(call.name);
    const fault = faults.get(call.name)?.shift();
    return fault ? ((await fault(call.act, call)) as T) : call.act();
  };

  const executions = memoryExecutions('arn:aws:states:eu-central-1:123456789012:execution:');
  const ports = portsOver(fleet, hook, {
    executions: executions.port,
    limits: { sessionsPerArray, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
    report: (line) => reports.push(line),
    now,
    random: () => 0.5,
    newId: () => `id-${++ids}`,
  });
  const addArray = (name: string): void => fleet.add(name, API_TOKEN);
  const accept = (name: string, token: string): void => {
    arrays.refuse(name);
    arrays.accept(name, token);
  };
  addArray('fb1');
  addArray('fb2');

  return {
    ports,
    hook,
    store,
    /** Executions that can own leases. With the world's random number, the sweeper asks about none. */
    executions,
    /** Live sessions on all arrays, by auth token. */
    live: arrays.sessions,
    reports,
    /** What arrays report about themselves. Each fact has a default. */
    facts: arrays.facts,
    /** Adds an array to the fleet. */
    addArray,
    /** Arrays that do not respond to logouts. */
    dead: arrays.dead,
    /** How many logouts were sent to an array. */
    logouts: arrays.logouts,
    /** The names of all port calls, in order. */
    calls,
    events: () => reports.map(({ event }) => event),
    lease: (leaseId: string) => store.items.get(leaseKey(leaseId)) as Stored<LeaseItem> | undefined,
    suspects: () => [...store.items.values()].filter((item) => item.kind === 'suspect'),
    /** The leases and SUSPECTs that have one of the array's slots. */
    slots: (array: string) =>
      [...store.slotsOf(array).values()].map(({ leaseId, suspect }) => `${suspect ? 'SUSPECT ' : ''}${leaseId}`),
    /** `fault` handles the next call with that name. */
    once: (name: string, fault: Fault) => void faults.set(name, [...(faults.get(name) ?? []), fault]),
    /** Changes the token in the array's secret. With `accept: false`, the array still accepts only the former token. */
    rotate: (name: string, token: string, options: { accept?: boolean; host?: string } = {}) => {
      const { accept: isAccepted = true, ...fields } = options;
      secrets.change(name, { ...fields, token });
      if (isAccepted) accept(name, token);
    },
    /** Makes the array accept only this API token. */
    accept,
    dropSessions: () => arrays.sessions.clear(),
    pass: (seconds: number) => {
      nowMs += seconds * 1000;
    },
    now,
    seconds: () => Math.floor(nowMs / 1000),
    /** A deadline 30 seconds from now. */
    deadline: () => nowMs + 30_000,
  };
}

export const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 900 };

/** Opens a session. `request` replaces fields in REQUEST. */
export const open = (w: World, request: Partial<OpenRequest> = {}) =>
  openSession(w.ports, { ...REQUEST, ...request }, w.deadline());

/** A world with one open session and no recorded calls or reports. */
export async function opened(): Promise<World> {
  const w = world();
  await open(w);
  w.calls.length = 0;
  w.reports.length = 0;
  return w;
}

/** Yields to other work until the call with this name has been made. */
export async function untilCalled(w: World, name: string): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (w.calls.includes(name)) return;
    await new Promise(setImmediate);
  }
  throw new Error(`${name} was never called`);
}
