/** The domain's ports in memory: arrays, secrets, KMS, ledger and clock. Each of them can be made to fail. */

import { createSeal } from '../../../lib/aws/seal.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, authToken, type FlashBlade, type Session } from '../../../lib/core/model.ts';
import type { Report } from '../../../lib/core/reports.ts';
import { type LeaseItem, leaseKey, type Stored } from '../../../lib/leases/items.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { type Facts, responseOf } from './array-facts.ts';
import { memoryKms } from './memory-kms.ts';
import { memoryStore } from './memory-store.ts';

export const API_TOKEN = 'T-00000000-1111-2222-3333-444444444444';

/** `startedAt`: milliseconds on the array's clock. */
export type LiveSession = {
  readonly array: string;
  readonly requestId: string | undefined;
  readonly startedAt: number;
  readonly user: string;
};

type Call = { readonly name: string; readonly args: readonly unknown[] };
/** Runs instead of a port's call. `act` is the call itself. */
type Fault = (act: () => Promise<unknown>, call: Call) => Promise<unknown>;

export function world(options: { sessionsPerArray?: number } = {}) {
  const store = memoryStore();
  const live = new Map<string, LiveSession>();
  const facts = new Map<string, Facts>();
  const accepted = new Map<string, string>([
    ['fb1', API_TOKEN],
    ['fb2', API_TOKEN],
  ]);
  const secretTokens = new Map<string, { token: string; version: number; host: string }>([
    ['fb1', { token: API_TOKEN, version: 1, host: 'fb1.example.com' }],
    ['fb2', { token: API_TOKEN, version: 1, host: 'fb2.example.com' }],
  ]);
  const cached = new Map<string, { token: string; version: number; host: string }>();
  const reports: Report[] = [];
  const calls: string[] = [];
  const dead = new Set<string>();
  const logouts: string[] = [];
  const faults = new Map<string, Fault[]>();
  const seal = createSeal(memoryKms(), 'alias/leases');
  let ids = 0;
  let nowMs = 1_800_000_000_000;

  const through = async <T>(name: string, args: readonly unknown[], act: () => Promise<T>): Promise<T> => {
    calls.push(name);
    const fault = faults.get(name)?.shift();
    return (await (fault ? fault(act, { name, args }) : act())) as T;
  };

  const arrayOf = (name: string, host: string): FlashBlade => ({ name, host, port: 443, trust: { kind: 'public' } });

  const sessionsOf = (name: string): LiveSession[] => [...live.values()].filter(({ array }) => array === name);

  const ports: Ports = {
    secrets: {
      read: (name, { fresh = false }) =>
        through('secret', [name, fresh], async () => {
          const current = secretTokens.get(name);
          if (!current) throw new FlashBladeError('ARRAY_UNKNOWN', `there is no secret flashblade/${name}`);
          const used = fresh ? current : (cached.get(name) ?? current);
          cached.set(name, used);
          return { array: arrayOf(name, used.host), apiToken: apiToken(used.token), versionId: `v${used.version}` };
        }),
      list: async () => [...secretTokens.keys()].sort(),
    },
    store: {
      read: (id, by) => through('read', [id], () => store.read(id, by)),
      write: (next, previous, by) => through(`write ${nameOf(next)}`, [next], () => store.write(next, previous, by)),
      remove: (item, by) => through('remove', [item], () => store.remove(item, by)),
      takeSlot: (array, slot, limit, by) =>
        through('takeSlot', [array, slot], () => store.takeSlot(array, slot, limit, by)),
      moveSlot: (array, from, slot, limit, by) =>
        through('moveSlot', [array, from, slot], () => store.moveSlot(array, from, slot, limit, by)),
      keepSlot: (array, slot, by) => through('keepSlot', [array, slot], () => store.keepSlot(array, slot, by)),
      freeSlot: (array, slot, by) => through('freeSlot', [array, slot], () => store.freeSlot(array, slot, by)),
      slots: (array, by) => through('slots', [array], () => store.slots(array, by)),
      lookAtSlots: (array, at, by) => through('lookAtSlots', [array], () => store.lookAtSlots(array, at, by)),
      pending: (by) => through('pending', [], () => store.pending(by)),
      ofOwner: (owner, by) => through('ofOwner', [owner], () => store.ofOwner(owner, by)),
    },
    seal: {
      dataKey: (context, by) => through('dataKey', [context], () => seal.dataKey(context, by)),
      seal: seal.seal,
      unseal: (sealed, context, by) => through('unseal', [context], () => seal.unseal(sealed, context, by)),
    },
    flashblade: {
      login: (array, token, { requestId }) =>
        through('login', [array], async () => {
          if (accepted.get(array.name) !== token.reveal()) throw refused();
          const value = `auth-${++ids}`;
          live.set(value, { array: array.name, requestId, startedAt: nowMs, user: 'pureuser' });
          const data: Session = { array, authToken: authToken(value), apiToken: token, username: 'pureuser' };
          return { data, status: 200, headers: {}, requestId: requestId ?? '' };
        }),
      logout: (session, { requestId }) =>
        through('logout', [session.array], async () => {
          logouts.push(session.array.name);
          if (dead.has(session.array.name)) throw unreachable(true);
          const status = live.delete(session.authToken.reveal()) ? 200 : 403;
          return { data: undefined, status, headers: {}, requestId: requestId ?? '' };
        }),
      apiVersions: (array, { requestId }) =>
        through('apiVersions', [array], async () => ({
          data: facts.get(array.name)?.versions ?? ['1.9', '1.10', '2.9', '2.10'],
          status: 200,
          headers: {},
          requestId: requestId ?? '',
          certificateEndsAt: facts.get(array.name)?.certificateEndsAt ?? nowMs / 1000 + 400 * 86_400,
        })),
      request: (session, call, { requestId }) =>
        through('request', [call], async () => ({
          status: 403,
          body: {},
          ...(live.has(session.authToken.reveal()) &&
            responseOf(facts.get(session.array.name) ?? {}, call, sessionsOf(session.array.name))),
          headers: {},
          requestId: requestId ?? '',
        })),
    },
    limits: { sessionsPerArray: options.sessionsPerArray ?? 50, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
    report: (line) => reports.push(line),
    now: () => nowMs,
    random: () => 0.5,
    newId: () => `id-${++ids}`,
  };

  return {
    ports,
    store,
    /** Live sessions on all arrays. */
    live,
    reports,
    /** What arrays report about themselves. Each fact has a default. */
    facts,
    /** Adds an array to the fleet. */
    addArray: (name: string) => {
      accepted.set(name, API_TOKEN);
      secretTokens.set(name, { token: API_TOKEN, version: 1, host: `${name}.example.com` });
    },
    /** Arrays that do not respond to a logout. */
    dead,
    /** How many logouts were sent to an array. */
    logouts: (array: string) => logouts.filter((name) => name === array).length,
    /** Names of the calls to the ports, in order. */
    calls,
    events: () => reports.map(({ event }) => event),
    lease: (leaseId: string) => store.items.get(leaseKey(leaseId)) as Stored<LeaseItem> | undefined,
    suspects: () => [...store.items.values()].filter((item) => item.kind === 'suspect'),
    /** The leases and SUSPECTs that have a slot of the array. */
    slots: (array: string) =>
      [...(store.arrays.get(array)?.values() ?? [])].map(
        ({ leaseId, suspect }) => `${suspect ? 'SUSPECT ' : ''}${leaseId}`,
      ),
    /** `fault` handles the next call with that name. */
    once: (name: string, fault: Fault) => void faults.set(name, [...(faults.get(name) ?? []), fault]),
    rotate: (name: string, token: string, options: { accept?: boolean; host?: string } = {}) => {
      const { version, host } = secretTokens.get(name) as { version: number; host: string };
      secretTokens.set(name, { token, version: version + 1, host: options.host ?? host });
      if (options.accept !== false) accepted.set(name, token);
    },
    accept: (name: string, token: string) => void accepted.set(name, token),
    dropSessions: () => live.clear(),
    pass: (seconds: number) => {
      nowMs += seconds * 1000;
    },
    now: () => nowMs,
    seconds: () => Math.floor(nowMs / 1000),
    /** A deadline in 30 seconds. */
    deadline: () => nowMs + 30_000,
  };
}

export type World = ReturnType<typeof world>;

const nameOf = (item: { kind: string; state?: string }): string =>
  item.kind === 'lease' ? (item.state as string) : item.kind;

export const refused = (): FlashBladeError =>
  new FlashBladeError('LOGIN_REFUSED', 'array refused the API token', {
    status: 401,
    sent: true,
    mayHaveOpened: false,
  });

export const busy = (): FlashBladeError =>
  new FlashBladeError('ARRAY_BUSY', 'array is busy', { status: 503, sent: true, mayHaveOpened: false });

export const unreachable = (mayHaveOpened: boolean): FlashBladeError =>
  new FlashBladeError('ARRAY_UNREACHABLE', 'no answer', { sent: mayHaveOpened, mayHaveOpened });

export const awsDown = (): FlashBladeError => new FlashBladeError('AWS_UNAVAILABLE', 'no answer from AWS');

export const fail =
  (error: () => Error): Fault =>
  async () => {
    throw error();
  };

/** The call takes effect, but its response is lost. */
export const loseAnswer =
  (error: () => Error): Fault =>
  async (act) => {
    await act();
    throw error();
  };

/** Yields to other work until a port was called. */
export async function untilCalled(w: World, name: string): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (w.calls.includes(name)) return;
    await new Promise(setImmediate);
  }
  throw new Error(`${name} was never called`);
}
