import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { closeOnSignals, withSession } from '../../../lib/leases/use.ts';
import { awsDown, fail, untilCalled, type World, world } from '../../kit/memory/world.ts';

// A signal that has no effect if it is really sent.
const SIGNAL = 'SIGURG';

let kill: MockInstance<typeof process.kill>;
let undo = (): void => {};

beforeEach(() => {
  kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  undo = closeOnSignals([SIGNAL]);
});

afterEach(() => {
  undo();
  kill.mockRestore();
});

const signal = () => process.emit(SIGNAL, SIGNAL);
const killed = () => vi.waitFor(() => expect(kill).toHaveBeenCalled(), { timeout: 60_000 });

/** Work in a session that runs until `end` is called. */
function working(w: World, leaseId: string) {
  const { promise: until, resolve: end } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const work = async (): Promise<void> => {
    begin();
    await until;
  };
  const done = withSession(w.ports, 'fb1', work, { leaseId });
  return { done, begun, end };
}

describe('a program that receives a signal', () => {
  it('the program closes every open session and then ends by the same signal', async () => {
    const w = world();
    const works = [working(w, 'job-1'), working(w, 'job-2')];
    await Promise.all(works.map(({ begun }) => begun));
    kill.mockImplementation(() => {
      expect(w.live.size).toBe(0);
      return true;
    });
    signal();
    await killed();
    expect(kill.mock.calls).toEqual([[process.pid, SIGNAL]]);
    expect([w.lease('job-1')?.state, w.lease('job-2')?.state]).toEqual(['CLOSED', 'CLOSED']);
    for (const { end, done } of works) {
      end();
      await done;
    }
  });

  it('the program waits for a session that is still opening and logs it out', async () => {
    const w = world();
    const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
    w.once('login', async (act) => {
      await until;
      return act();
    });
    const { done } = working(w, 'job-1');
    const failure = done.catch((error: unknown) => error);
    await untilCalled(w, 'login');
    w.calls.length = 0;
    signal();
    await untilCalled(w, 'write OPENING');
    expect(kill).not.toHaveBeenCalled();
    goOn();
    await killed();
    expect(await failure).toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
  });

  it('the program reports a session that it cannot close and still ends', async () => {
    const w = world();
    const { begun, end, done } = working(w, 'job-1');
    await begun;
    w.once('read', fail(awsDown));
    signal();
    await killed();
    expect(w.reports.at(-1)).toMatchObject({ event: 'LogoutFailed', leaseId: 'job-1', code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(1);
    end();
    await done;
  });

  it('the program ignores sessions that are already closed or never opened', async () => {
    const w = world();
    await withSession(w.ports, 'fb1', () => 1);
    w.once('secret', fail(awsDown));
    await expect(withSession(w.ports, 'fb1', () => 1)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    w.calls.length = 0;
    signal();
    await killed();
    expect(w.calls).toEqual([]);
  });

  it('the second signal ends the program at once', async () => {
    const w = world();
    const { begun, end, done } = working(w, 'job-1');
    await begun;
    expect(process.listenerCount(SIGNAL)).toBe(1);
    signal();
    expect(process.listenerCount(SIGNAL)).toBe(0);
    await killed();
    end();
    await done;
  });
});

it('closeOnSignals listens to SIGINT and SIGTERM by default, until its returned function is called', () => {
  const counts = () => (['SIGINT', 'SIGTERM'] as const).map((name) => process.listenerCount(name));
  const before = counts();
  const undoBoth = closeOnSignals();
  expect(counts()).toEqual(before.map((count) => count + 1));
  undoBoth();
  expect(counts()).toEqual(before);
});
