/** One event is delivered many times at once, with its steps in any order: one session, one lease, and every delivery reports it. */
import fc, { type Scheduler } from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutbox } from '../../lib/aws/outbox.ts';
import { createPorts } from '../../lib/compose.ts';
import { readConfig } from '../../lib/core/config.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { dispatch } from '../../lib/leases/dispatch.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { startSimulator } from '../../simulator/index.ts';
import { awsWithClients } from '../kit/aws/clients.ts';
import { LEASE_TABLE } from '../kit/lease-table.ts';
import { type Hook, hooked } from '../kit/memory/hook.ts';
import { MAX_AGE_SECONDS, memoryOutbox } from '../kit/memory/memory-outbox.ts';
import { requested } from '../kit/memory/messages.ts';
import { busy, fail, type World, world } from '../kit/memory/world.ts';

const EVENT = requested({ array: 'fb1', owner: 'job' });
const LEASE_ID = 'fb1:event-1';

/** Every call waits for its turn before it acts, and again before it returns. `acted` is called in between. */
const inTurns =
  (scheduler: Scheduler, acted: () => void): Hook =>
  async ({ name, act }) => {
    await scheduler.schedule(Promise.resolve(), `${name}, there`);
    const outcome = act();
    outcome.catch(() => {});
    await outcome.then(acted, acted);
    await scheduler.schedule(Promise.resolve(), `${name}, back`);
    return outcome;
  };

/** Delivers the event `count` times at once and redelivers what failed, until nothing fails. Throws if a promise is broken. */
async function deliverAll(w: World, ports: Ports, count: number, scheduler: Scheduler): Promise<void> {
  const box = memoryOutbox();
  let most = 0;
  const acted = (): void => {
    most = Math.max(most, w.live.size);
  };
  const steps = hooked(ports, inTurns(scheduler, acted));
  let left = count;
  for (let round = 0; left > 0; round++) {
    expect(round, 'rounds').toBeLessThan(5);
    const deliveries = Array.from({ length: left }, () =>
      dispatch(steps, box.outbox, EVENT, MAX_AGE_SECONDS, w.deadline()),
    );
    const outcomes = await scheduler.waitFor(Promise.allSettled(deliveries));
    const thrown = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    for (const code of thrown) expect(['LEASE_OPENING', 'ARRAY_BUSY']).toContain(code);
    left = thrown.length;
    if (most > 1) break;
  }
  expect(most, 'live sessions at once').toBe(1);
  expect(w.live.size).toBe(1);
  expect(w.suspects()).toEqual([]);
  expect(w.slots('fb1')).toEqual([LEASE_ID]);
  expect(w.lease(LEASE_ID)).toMatchObject({ state: 'OPEN', attemptId: [...w.live.values()][0]?.requestId });
  expect(box.letters).toEqual([]);
  expect(box.published).toHaveLength(count);
  expect(new Set(box.published.map((event) => JSON.stringify(event))).size).toBe(1);
}

const count = fc.integer({ min: 2, max: 50 });
/** A failure is printed with its seed and path, which reproduce it. */
const RUNS = { numRuns: 100, seed: 20_261_124 };

describe('2 to 50 deliveries of one event', () => {
  it('all deliveries together open one session under one lease, and each of them reports it', async () => {
    const property = fc.asyncProperty(count, fc.scheduler(), async (deliveries, scheduler) => {
      const w = world();
      await deliverAll(w, w.ports, deliveries, scheduler);
      expect(w.calls.filter((name) => name === 'login')).toHaveLength(1);
    });
    await fc.assert(property, RUNS);
  });

  it('the deliveries open one session even if the array is busy at first', async () => {
    const property = fc.asyncProperty(count, fc.nat(3), fc.scheduler(), async (deliveries, refusals, scheduler) => {
      const w = world();
      for (let n = 0; n < refusals; n++) w.once('login', fail(busy));
      await deliverAll(w, w.ports, deliveries, scheduler);
      expect(w.calls.filter((name) => name === 'login')).toHaveLength(refusals + 1);
    });
    await fc.assert(property, RUNS);
  });

  it('unconditional writes to the ledger would open more than one session', async () => {
    const property = fc.asyncProperty(count, fc.scheduler(), async (deliveries, scheduler) => {
      const w = world();
      const write: Ports['store']['write'] = async (next, _previous, by) =>
        w.ports.store.write(next, await w.store.read(next.id, by), by);
      await deliverAll(w, { ...w.ports, store: { ...w.ports.store, write } }, deliveries, scheduler);
    });
    const { errorInstance } = await fc.check(property, { ...RUNS, endOnFailure: true });
    expect(String(errorInstance)).toContain('live sessions at once');
  });
});

describe('16 deliveries of one event over the real ports', () => {
  it('all deliveries together open one session on the array, and each of them reports it', {
    timeout: 120_000,
  }, async () => {
    const { aws, eventBridge, sqs } = await awsWithClients({ maxAttempts: 3 });
    let most = 0;
    const simulator = await startSimulator({
      onRequest: () => {
        most = Math.max(most, simulator.sessions().length);
      },
    });
    onTestFinished(async () => {
      closeConnections();
      await simulator.stop();
    });
    await aws.dynamodb.createTable(LEASE_TABLE, 'leases');
    const { port, apiToken, certificate: ca } = simulator;
    aws.secrets.put('flashblade/fb1', { host: `127.0.0.1:${port}`, apiToken, trust: { ca } });
    const names = { bus: 'default', deadLetterQueue: aws.sqs.createQueue('dead-letters') };
    const outbox = createOutbox({ eventBridge, sqs }, names);
    const ports = createPorts(readConfig({ LEASE_TABLE: 'leases', LEASE_KEY: aws.kms.createKey().arn }), () => {});

    // Redeliveries run with less concurrency, as from a queue. More than 16 in one process may overload a busy machine.
    const deliver = () => dispatch(ports, outbox, EVENT, MAX_AGE_SECONDS, Date.now() + 60_000);
    let left = 16;
    for (let round = 0; left > 0; round++) {
      expect(round, 'rounds').toBeLessThan(50);
      const atOnce = Math.min(left, Math.max(1, 16 >> round));
      const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, deliver));
      const thrown = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      for (const error of thrown) expect(error).toMatchObject({ retryable: true });
      left -= atOnce - thrown.length;
    }
    expect(most, 'live sessions at once').toBe(1);
    const [session] = simulator.sessions();
    const items = await aws.dynamodb.scan('leases');
    expect(items.filter(({ kind }) => kind === 'lease')).toMatchObject([
      { leaseId: LEASE_ID, state: 'OPEN', attemptId: session?.requestId },
    ]);
    expect(aws.events.sent.length).toBeGreaterThanOrEqual(16);
    expect(new Set(aws.events.sent.map(({ detail }) => JSON.stringify(detail))).size).toBe(1);
    expect(aws.sqs.queue('dead-letters').messages).toEqual([]);
  });
});
