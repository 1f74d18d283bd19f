/** The stack's state machine that checks the whole fleet, with the packaged function in its steps. */
import aslValidator from 'asl-validator';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import type { FleetResult } from '../../../lib/fleet/check.ts';
import { type FleetPart, type FleetPlan, RESULTS_BYTES } from '../../../lib/fleet/parts.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { configurationOf } from '../../kit/packaged.ts';
import { eventsOf, metricLinesOf, metricsOf } from '../functions/logs.ts';
import { rule, testRules } from '../infra/rules/rule.ts';
import { at, changed } from '../infra/template.ts';
import { execute } from './deployment.ts';
import { deployed, fleetCheckMachine, type Machine, statesOf } from './machine.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ID = 'arn:aws:states:eu-central-1:123456789012:execution:fleet-check:1';
const LIMIT_SECONDS = configurationOf('check-fleet', { LeaseTable: '-', LeaseKey: '-' }).timeoutMs / 1000;

type Event = {
  readonly step: 'plan' | 'check' | 'conclude';
  readonly part: FleetPart;
  readonly results: readonly unknown[];
};
const failure = (errorType: string): Outcome => ({ error: { errorType, errorMessage: errorType } });

describe('the definition', () => {
  const RULES = [
    rule<Machine>(
      'every step is retried after a fault that may pass, and after throttling for ten minutes',
      (machine) =>
        statesOf(machine, 'Task').map(([name, { Retry = [] }]) => {
          const [throttled, others] = Retry;
          const codes = (others?.ErrorEquals ?? []).filter((code) => code in ERROR_CODES);
          const waited = Number(throttled?.IntervalSeconds) * Number(throttled?.MaxAttempts);
          return [
            !(waited >= 600) && `${name}: waits ${waited} s for concurrency`,
            !codes.includes('AWS_UNAVAILABLE') && `${name}: AWS_UNAVAILABLE is not retried`,
            !codes.includes('SECRET_UNAVAILABLE') && `${name}: SECRET_UNAVAILABLE is not retried`,
            codes
              .filter((code) => !ERROR_CODES[code as keyof typeof ERROR_CODES].retryable)
              .map((code) => `${name}: ${code} is retried`),
          ];
        }),
      ['no retry', 'States/Plan/Retry', [], 'Plan: AWS_UNAVAILABLE'],
      [
        'a retry of a permanent error',
        'States/Plan/Retry/1/ErrorEquals/+',
        'CONFIG_INVALID',
        'CONFIG_INVALID is retried',
      ],
      ['little patience', 'States/Parts/ItemProcessor/States/Check/Retry/0/MaxAttempts', 3, 'Check: waits 90 s'],
    ),
    rule<Machine>(
      'every wait is bounded, and the function ends before its task',
      (machine) =>
        statesOf(machine, 'Task').map(
          ([name, { TimeoutSeconds = Number.POSITIVE_INFINITY }]) =>
            !(TimeoutSeconds > LIMIT_SECONDS && TimeoutSeconds < Number(machine.TimeoutSeconds)) &&
            `${name}: TimeoutSeconds is ${TimeoutSeconds}`,
        ),
      ['no limit for a step', 'States/Conclude/TimeoutSeconds', undefined],
      ['no limit for the execution', 'TimeoutSeconds', undefined],
      ['a step that ends before its function', 'States/Plan/TimeoutSeconds', 300],
    ),
    rule<Machine>(
      'some parts may fail, but not all of them, and the number of parts at a time is limited',
      ({ States: { Parts } }) => [
        at(Parts, 'ToleratedFailurePercentage') !== 99 && 'ToleratedFailurePercentage',
        !(Number(at(Parts, 'MaxConcurrency')) >= 1) && 'MaxConcurrency',
        at(Parts, 'ItemProcessor/ProcessorConfig/Mode') !== 'DISTRIBUTED' && 'Mode',
      ],
      ['no failure is tolerated', 'States/Parts/ToleratedFailurePercentage', undefined],
      ['every failure is tolerated', 'States/Parts/ToleratedFailurePercentage', 100],
      ['no limit', 'States/Parts/MaxConcurrency', 0],
      ['a part is no execution of its own', 'States/Parts/ItemProcessor/ProcessorConfig/Mode', 'INLINE'],
    ),
  ];
  testRules(RULES, fleetCheckMachine, (machine, path, value) => [changed(machine, path, value)]);

  test('is a valid state machine', () => {
    const errors = (machine: Machine) => aslValidator(structuredClone(deployed(machine))).errorsText();
    expect(errors(fleetCheckMachine())).toBe('');
    expect(errors(changed(fleetCheckMachine(), 'States/Parts/Next', 'Nowhere'))).not.toBe('');
  });
});

/** Runs the machine with these answers instead of the function. */
const simulate = (answer: (event: Event) => Outcome) =>
  execute(fleetCheckMachine(), ID, {}, async (_name, _state, event) => answer(event as Event));

describe('an execution', () => {
  const part = (n: number): FleetPart => ({ from: `fb${n}`, planned: 1, maxBytes: 9 });
  const plan = (count: number): FleetPlan => ({
    arrays: count,
    parts: Array.from({ length: count }, (_, n) => part(n)),
    ignoredSecrets: ['dev/x'],
  });

  test.each([
    [10, 0],
    [10, 9],
    [1, 0],
  ])('of %i parts, of which %i fail, concludes with the results of the others', async (count, failing) => {
    const concluded: unknown[] = [];
    const { status, states } = await simulate((event) => {
      if (event.step === 'plan') return { result: plan(count) };
      if (event.step === 'check') {
        const nth = Number(event.part.from?.slice(2));
        return nth < failing ? failure('LEASE_ALTERED') : { result: { nth } };
      }
      concluded.push(event);
      return { result: {} };
    });
    expect(status).toBe('SUCCEEDED');
    expect(states).toEqual(['Plan', 'Parts', 'Conclude']);
    const results = Array.from({ length: count - failing }, (_, n) => ({ nth: failing + n }));
    expect(concluded).toEqual([{ step: 'conclude', arrays: count, ignoredSecrets: ['dev/x'], results }]);
  });

  test('fails if all parts fail, or if there is no plan, and never concludes', async () => {
    const failAll = (failing: Event['step']) =>
      simulate((event) => {
        if (event.step === failing) return failure('LEASE_ALTERED');
        return event.step === 'plan' ? { result: plan(3) } : { result: {} };
      });
    const all = await failAll('check');
    expect(all).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
    expect(all.states).toEqual(['Plan', 'Parts']);
    expect(await failAll('plan')).toMatchObject({ status: 'FAILED', error: 'LEASE_ALTERED', states: ['Plan'] });
  });

  test('of a fleet without arrays concludes', async () => {
    const { states } = await simulate((event) => ({ result: event.step === 'plan' ? plan(0) : {} }));
    expect(states).toEqual(['Plan', 'Parts', 'Conclude']);
  });

  test('retries throttling and temporary faults', async () => {
    const tries = new Map<string, number>();
    const codes = [
      'Lambda.TooManyRequestsException',
      'AWS_UNAVAILABLE',
      'Lambda.TooManyRequestsException',
      'Sandbox.Timedout',
    ];
    const { status } = await simulate((event) => {
      const nth = tries.get(event.step) ?? 0;
      tries.set(event.step, nth + 1);
      const code = codes[nth];
      if (code !== undefined) return failure(code);
      return { result: event.step === 'plan' ? plan(1) : {} };
    });
    expect(status).toBe('SUCCEEDED');
    expect([...tries.values()]).toEqual([5, 5, 5]);
  });

  test('continues a part with what remains of it', async () => {
    const checked: unknown[] = [];
    await simulate((event) => {
      if (event.step !== 'check') return { result: event.step === 'plan' ? plan(1) : {} };
      checked.push(event);
      const { round = 1 } = event.part;
      return { result: round < 3 ? { part: { ...event.part, round: round + 1, names: ['fb9'] } } : { planned: 1 } };
    });
    expect(checked).toMatchObject([{ part: part(0) }, { part: { round: 2, names: ['fb9'] } }, { part: { round: 3 } }]);
  });

  test('has room for the largest plan and its results, and fails if they are larger', async () => {
    const filled = (bytes: number) =>
      simulate((event) => {
        const large = { ...part(0), before: 'x'.repeat(64), from: 'y'.repeat(64) };
        if (event.step === 'plan') return { result: { ...plan(100), parts: Array(100).fill(large) } };
        return { result: { text: 'x'.repeat(event.step === 'check' ? bytes : 1) } };
      });
    expect((await filled(RESULTS_BYTES / 100)).status).toBe('SUCCEEDED');
    expect(await filled(2600)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('with the packaged function', () => {
  let d: Deployment;
  const DEAD = ['fb07', 'fb11', 'fb25'];
  const ARRAYS = 30;
  const SECOND = 'fb20';

  beforeAll(async () => {
    d = await deploy({ functions: ['check-fleet'] });
    for (let n = 0; n < ARRAYS; n++) {
      const name = `fb${String(n).padStart(2, '0')}`;
      d.addArray(name, DEAD.includes(name) ? { host: '127.0.0.1:1' } : {});
    }
  });
  afterEach(() => d.simulator.faults.clear());
  afterAll(() => d.stop());

  /** A plan like that of a larger fleet. */
  const TWO_PARTS: FleetPlan = {
    arrays: ARRAYS,
    parts: [
      { before: SECOND, planned: 20, maxBytes: 90_000 },
      { from: SECOND, planned: 10, maxBytes: 90_000 },
    ],
    ignoredSecrets: [],
  };

  /** Runs a check. `instead`: the outcome of a step instead of its invocation. */
  async function run(instead: (event: Event) => Outcome | undefined = () => undefined) {
    const written = d.lambdaOf('check-fleet').output.length;
    let last: Promise<unknown> = Promise.resolve();
    const rounds: number[] = [];
    const execution = await execute(fleetCheckMachine(), ID, {}, (_name, _state, event) => {
      const { step, part } = event as Event;
      if (step === 'check') rounds.push(part.round ?? 1);
      const given = instead(event as Event);
      if (given !== undefined) return Promise.resolve(given);
      const outcome = last.then(() => d.invoke('check-fleet', event));
      last = outcome.catch(() => {});
      return outcome;
    });
    const log = d.lambdaOf('check-fleet').output.slice(written);
    const metrics = metricLinesOf(log).flatMap(metricsOf);
    const fleet = metrics.filter((line) => /^FlashBladeSessions (\w+Arrays|FleetChecked) .*{service=\S+}$/.test(line));
    return {
      ...execution,
      result: execution.output as FleetResult,
      log,
      rounds,
      fleet: fleet.map((line) => line.split(' ').slice(1, 3).join('')),
    };
  }

  test.each([
    ['one part, which it plans itself', undefined],
    ['two parts', TWO_PARTS],
  ])('checks a fleet in %s, with one summary and one set of metrics', async (_, plan) => {
    const checked = d.simulator.history.length;
    const { result, fleet, log } = await run(({ step }) => (step === 'plan' && plan ? { result: plan } : undefined));
    expect(result).toMatchObject({ checked: ARRAYS, healthy: ARRAYS - DEAD.length, notChecked: 0 });
    expect(result.unhealthy.map(({ array, code }) => [array, code])).toEqual(
      DEAD.map((name) => [name, 'ARRAY_UNREACHABLE']),
    );
    expect(fleet.sort()).toEqual([
      'FleetChecked1',
      `HealthyArrays${ARRAYS - 3}`,
      'UncheckedArrays0',
      'UnhealthyArrays3',
    ]);
    expect(eventsOf(log, 'ArrayChecked')).toHaveLength(ARRAYS - DEAD.length);
    expect(d.simulator.history).toHaveLength(checked + ARRAYS - DEAD.length);
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.leaks()).toEqual([]);
  });

  test('if a part fails, its arrays are not checked, and none of them is unhealthy', async () => {
    const { result, fleet, log } = await run(({ step, part }) => {
      if (step === 'plan') return { result: TWO_PARTS };
      return step === 'check' && part.from === undefined ? failure('INTERNAL') : undefined;
    });
    expect(result).toMatchObject({ checked: 10, healthy: 9, notChecked: 20 });
    expect(fleet.sort()).toEqual(['FleetChecked1', 'HealthyArrays9', 'UncheckedArrays20', 'UnhealthyArrays1']);
    expect(eventsOf(log, 'ArrayUnhealthy').map(({ array }) => array)).toEqual([DEAD[2]]);
  });

  test('arrays that AWS kept from being checked are checked by the next invocation, and raise no alarm', async () => {
    d.aws.faults.add({ service: 'kms', action: 'GenerateDataKey', kind: 'throttle', times: 60 });
    const { result, fleet, log, rounds } = await run();
    expect(result).toMatchObject({ checked: ARRAYS, healthy: ARRAYS - DEAD.length, notChecked: 0 });
    expect(rounds).toEqual([1, 2]);
    expect(fleet).toContain('UncheckedArrays0');
    expect(eventsOf(log, 'ArrayNotChecked')).toEqual([]);
  });

  test('arrays that no invocation could check are counted and named, and none of them is unhealthy', async () => {
    d.aws.faults.add({ service: 'kms', action: 'GenerateDataKey', kind: 'throttle' });
    const { result, fleet, log, rounds } = await run();
    d.aws.faults.clear();
    expect(rounds).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ checked: DEAD.length, healthy: 0, notChecked: ARRAYS - DEAD.length });
    expect(fleet.sort()).toEqual([
      'FleetChecked1',
      'HealthyArrays0',
      `UncheckedArrays${ARRAYS - DEAD.length}`,
      'UnhealthyArrays3',
    ]);
    const named = eventsOf(log, 'ArrayNotChecked');
    expect(new Set(named.map(({ array }) => array))).toHaveProperty('size', ARRAYS - DEAD.length);
    expect(new Set(named.map(({ code }) => code))).toEqual(new Set(['AWS_UNAVAILABLE']));
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.leaks()).toEqual([]);
  });
});
