/** One world: arrays, secrets, ledger and clock in memory, shared by all processes that start in it. */
import type { Report } from '../../../lib/core/reports.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { plainSeal } from '../../../lib/testing/seal.ts';
import { memoryExecutions } from '../../kit/memory/executions.ts';
import { memoryFleet, portsOver } from '../../kit/memory/fleet.ts';
import type { Hook } from '../../kit/memory/hook.ts';
import { virtualClock } from './clock.ts';
import { type Code, CURRENT, codeOf, FORMER, formerPorts } from './code.ts';
import type { Features } from './dimensions.ts';
import { hookOf, type Process, proceedIn } from './effects.ts';
import { laggingIndex } from './indexes.ts';
import type { Random } from './random.ts';
import type { Weather } from './weather.ts';

export type World = ReturnType<typeof worldOf>;

/** What a process gets: its code, its ports, its deadline by its own clock, and the hook of its calls. */
export type Running = {
  readonly code: Code;
  readonly ports: Ports;
  readonly deadline: number;
  readonly hook: Hook;
  /** What the process has reported. */
  readonly reported: readonly Report[];
  /** Returns a signal that is aborted at a random moment within this time. */
  readonly abortedWithin: (ms: number) => AbortSignal;
};

export type WorldOptions = {
  readonly random: Random;
  readonly weather: Weather;
  readonly features: Features;
  readonly limits: Ports['limits'];
  /** After how long an array ends an idle session, in seconds. `limits` holds the value that we were configured with. */
  readonly idleSeconds: number;
  readonly onEffect: (world: World) => void;
  /** Called for every event, with the name of its kind. */
  readonly count: (what: string) => void;
  readonly trace?: ((line: string) => void) | undefined;
};

const START_MS = 1_800_000_000_000;
/** Every call ends this long before its deadline. */
const MARGIN_MS = 500;

export function worldOf(options: WorldOptions) {
  const { random, weather, features, limits, trace, count } = options;
  const clock = virtualClock(START_MS);
  const clocksAhead = new Map<string, number>();
  const aheadMs = (array: string): number => {
    const ms = clocksAhead.get(array) ?? weather.clockAheadMs();
    clocksAhead.set(array, ms);
    return ms;
  };
  let writes = 0;
  const fleet = memoryFleet({
    ...{ now: clock.now, idleMs: options.idleSeconds * 1000, aheadMs },
    cache: (versions) => (weather.secretIsStale() ? versions.at(-2) : undefined),
    index: laggingIndex(clock.now, weather.indexLagMs),
    ...(features.shards ? { dueShards: () => (++writes % 3 === 0 ? 1 : 16) } : {}),
    // The former version seals by itself, so that both need the real seal.
    ...(features.former ? {} : { seal: plainSeal }),
  });
  const executions = memoryExecutions('owner-');
  const faults: string[] = [];
  let ids = 0;

  /**
   * Starts a process, which is killed at its deadline. Errors of our own are expected. Ending too late or with any other error is a
   * fault.
   */
  function start(name: string, timeoutMs: number, work: (running: Running) => Promise<unknown>): void {
    const process: Process = { name, clockAheadMs: weather.clockAheadMs(), dead: false, stoppedUntil: 0 };
    const deadline = clock.now() + timeoutMs;
    const outlives = weather.outlivesItsDeadline();
    const fail = (error: unknown): void => {
      const { code, message } = codeOf(error);
      trace?.(`${clock.now()} ${name} throws ${code}: ${message}`);
      count(code);
      if (code === 'INTERNAL') faults.push(`${name} failed: ${error instanceof Error ? error.stack : error}`);
    };
    const reported: Report[] = [];
    let waiting = 0;
    const wait: Ports['wait'] = (ms, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting += 1;
      clock.after(ms, () => proceedIn(world, process, resolve));
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      return promise.finally(() => {
        waiting -= 1;
      });
    };
    const abortedWithin = (ms: number): AbortSignal => {
      const controller = new AbortController();
      clock.after(random.below(ms), () => proceedIn(world, process, () => controller.abort()));
      return controller.signal;
    };
    const end = (): void => {
      if (waiting > 0) faults.push(`${name} ended, but still waits to do something`);
      process.dead = true;
      // A process that was stopped ends as soon as it resumes.
      if (clock.now() > Math.max(deadline - MARGIN_MS, process.stoppedUntil))
        faults.push(`${name} ended ${deadline - clock.now()} ms before its deadline`);
    };
    trace?.(`${clock.now()} ${name} starts`);
    const isFormer = weather.runsFormerCode();
    if (isFormer) count('former code');
    const hook = hookOf(world, process);
    const current = portsOver(fleet, hook, {
      limits,
      ...(features.executions ? { executions: executions.port } : {}),
      report: (report) => {
        const { event, message } = report;
        count(event);
        reported.push(report);
        trace?.(`${clock.now()} ${name} reports ${event}: ${message}`);
      },
      now: () => clock.now() + process.clockAheadMs,
      random: random.next,
      newId: world.newId,
      wait,
    });
    const ports = isFormer ? formerPorts(current, fleet.store, hook) : current;
    const code = isFormer ? FORMER : CURRENT;
    void work({ code, ports, deadline: deadline + process.clockAheadMs, hook, reported, abortedWithin })
      .catch(fail)
      .then(end);
    const kill = (): void => {
      if (process.dead) return;
      if (outlives && clock.now() < process.stoppedUntil) {
        clock.at(process.stoppedUntil, kill);
        return;
      }
      if (clock.now() > process.stoppedUntil) faults.push(`${name} was still at work at its deadline`);
      process.dead = true;
    };
    clock.at(deadline, kill);
  }

  const world = {
    ...fleet,
    ...{ clock, random, weather, limits, trace, count, features, executions },
    onEffect: () => options.onEffect(world),
    newId: () => `id-${++ids}`,
    /** Owners whose end was requested, or whose execution has ended. */
    over: new Set<string>(),
    /** Leases and owners whose end was requested and confirmed. */
    ended: new Set<string | undefined>(),
    /** Violations by processes. */
    faults,
    start,
    seconds: () => Math.floor(clock.now() / 1000),
  };
  return world;
}
