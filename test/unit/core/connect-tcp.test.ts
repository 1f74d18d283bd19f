/** Every order of good, slow, dead and refusing addresses. Time and sockets are simulated, so that no test waits. */
import dns from 'node:dns';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectTcp, type NoConnection } from '../../../lib/core/connect-tcp.ts';

const KINDS = ['good', 'slow', 'dead', 'refusing', 'unroutable'] as const;
type Kind = (typeof KINDS)[number];
const LIMIT_MS = 2000;
/** Longer than Node's own patience, but shorter than the limit. */
const SLOW_MS = 1100;

const net = { kinds: {} as Record<string, string>, made: [] as Attempt[] };

type Attempt = { readonly socket: Socket; readonly address: string; readonly beganAt: number };

/** Stands in for `Socket.prototype.connect`. */
function simulate(this: Socket, [{ host: address }]: [{ host: string }]): Socket {
  net.made.push({ socket: this, address, beganAt: Date.now() });
  const kind = net.kinds[address];
  const fail = (code: string) => this.destroy().emit('error', Object.assign(new Error(code), { code }));
  const act = () => {
    if (this.destroyed) return;
    if (kind === 'good' || kind === 'slow') this.emit('connect');
    if (kind === 'refusing') fail('ECONNREFUSED');
    if (kind === 'unroutable') fail('EHOSTUNREACH');
  };
  setTimeout(act, kind === 'slow' ? SLOW_MS : 1);
  return this;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(simulate as never);
  net.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Connects to a host whose addresses are of these kinds. An address in `six` is an IPv6 address. */
async function race(kinds: readonly Kind[], { limitMs = LIMIT_MS, six = (_: number): boolean => false } = {}) {
  const addresses = kinds.map((_, at) => (six(at) ? `2001:db8::${at + 1}` : `192.0.2.${at + 1}`));
  net.kinds = Object.fromEntries(addresses.map((address, at) => [address, kinds[at] ?? '']));
  vi.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, done: (...all: unknown[]) => void) =>
    done(
      null,
      addresses.map((address, at) => ({ address, family: six(at) ? 6 : 4 })),
    )) as never);
  const outcomes: (Socket | NoConnection)[] = [];
  const connecting = connectTcp({ host: 'fb1.example.com', port: 443 }, limitMs, (made) => outcomes.push(made));
  let endedAt: number | undefined;
  for (; Date.now() < limitMs && outcomes.length === 0; vi.advanceTimersByTime(1));
  if (outcomes.length > 0) endedAt = Date.now();
  const tried = connecting.tried();
  connecting.destroy();
  return { outcomes, endedAt, tried, timers: vi.getTimerCount() };
}

const orders = (count: number): Kind[][] =>
  count === 0 ? [[]] : orders(count - 1).flatMap((rest) => KINDS.map((kind) => [...rest, kind]));
const ALL = [...orders(1), ...orders(2), ...orders(3)];

describe.each([
  ['IPv4', () => false],
  ['IPv6', () => true],
  ['both', (at: number) => at % 2 === 0],
])('with addresses of %s', (_, six) => {
  it.each(ALL.map((order) => [order.join(', '), order] as const))('%s', async (_, order) => {
    const { outcomes, endedAt = LIMIT_MS, tried } = await race(order, { six });
    const winner = net.made.find(({ socket }) => outcomes.includes(socket));
    // Every other socket is closed, even if there is no winner.
    expect(net.made.filter(({ socket }) => !socket.destroyed)).toEqual(winner === undefined ? [] : [winner]);
    if (order.includes('good')) {
      expect(net.kinds[winner?.address ?? '']).toBe('good');
      expect(endedAt).toBeLessThanOrEqual(2 * 250 + 5);
    } else if (order.includes('slow')) {
      expect(net.kinds[winner?.address ?? '']).toBe('slow');
      expect(endedAt).toBeLessThanOrEqual(SLOW_MS + 2 * 250 + 5);
    } else if (order.includes('dead')) {
      expect(outcomes).toEqual([]);
      const words = {
        dead: 'did not respond',
        refusing: 'refused the connection',
        unroutable: 'is unreachable (no route)',
      };
      expect(tried.split(', ').map((one) => one.replace(/^\S+ /, ''))).toEqual(
        order.map((kind) => words[kind as keyof typeof words]),
      );
    } else {
      const code = { refusing: 'ECONNREFUSED', unroutable: 'EHOSTUNREACH' }[order[0] as 'refusing' | 'unroutable'];
      expect(outcomes).toEqual([{ code: new Set(order).size === 1 ? code : undefined }]);
      expect(endedAt).toBeLessThan(10);
    }
  });
});

it('a connection leaves no timer', async () => {
  for (const order of ALL) {
    const { outcomes, timers } = await race(order);
    // The simulated sockets of slow and dead addresses have timers of their own.
    vi.runOnlyPendingTimers();
    expect(outcomes.length).toBeLessThanOrEqual(1);
    expect(timers).toBeLessThanOrEqual(order.length);
    expect(vi.getTimerCount()).toBe(0);
  }
});

it('a good first address is the only one that is tried', async () => {
  await race(['good', 'good', 'good']);
  expect(net.made).toHaveLength(1);
});

it('the next address is tried after 250 ms, or at once if the address fails', async () => {
  await race(['dead', 'refusing', 'dead', 'good']);
  expect(net.made.map(({ beganAt }) => beganAt)).toEqual([0, 250, 251, 501]);
});

it('all addresses are tried even if there is little time', async () => {
  const { outcomes } = await race(['dead', 'dead', 'dead', 'good'], { limitMs: 100 });
  expect(outcomes).toEqual([net.made[3]?.socket]);
});

it('IPv6 and IPv4 addresses take turns', async () => {
  await race(['dead', 'dead', 'dead', 'good'], { six: (at) => at < 3 });
  expect(net.made.map(({ address }) => address)).toEqual(['2001:db8::1', '192.0.2.4']);
});

it('a host that is an address itself is not looked up, and is not listed', async () => {
  const lookup = vi.spyOn(dns, 'lookup');
  net.kinds = { '192.0.2.9': 'dead' };
  const connecting = connectTcp({ host: '192.0.2.9', port: 443 }, LIMIT_MS, () => {});
  expect([lookup.mock.calls.length, net.made.length, connecting.tried()]).toEqual([0, 1, '']);
});

it('a failed lookup is reported with its code', () => {
  vi.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, done: (error: Error) => void) =>
    done(Object.assign(new Error(), { code: 'EAI_AGAIN' }))) as never);
  const outcomes: unknown[] = [];
  const connecting = connectTcp({ host: 'fb1.example.com', port: 443 }, LIMIT_MS, (made) => outcomes.push(made));
  expect([outcomes, connecting.isResolved(), connecting.tried()]).toEqual([[{ code: 'EAI_AGAIN' }], false, '']);
});

it('an attempt that was given up does nothing when its lookup ends', () => {
  let end: (error: null, addresses: object[]) => void = () => {};
  vi.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, done: typeof end) => {
    end = done;
  }) as never);
  const done = vi.fn();
  connectTcp({ host: 'fb1.example.com', port: 443 }, LIMIT_MS, done).destroy();
  end(null, [{ address: '192.0.2.1', family: 4 }]);
  expect([net.made.length, done.mock.calls.length]).toEqual([0, 0]);
});
