/** The steps of a check of the whole fleet: a plan, its parts, and the conclusion. */
import { describe, expect, it } from 'vitest';
import {
  checkPart,
  commonPrefix,
  concludeCheck,
  type FleetPart,
  MAX_PARTS,
  PART_ARRAYS,
  type PartResult,
  parseFleetStep,
  planCheck,
  RESULTS_BYTES,
} from '../../../lib/fleet/parts.ts';
import { awsDown, fail, unreachable, type World, world } from '../../kit/memory/world.ts';
import { randomOf } from '../../proofs/world/random.ts';

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const LATER = 300_000;
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `fb${String(n).padStart(5, '0')}`);
/** Ports whose fleet has exactly these names. */
const listing = (w: World, names: readonly string[]) => ({
  ...w.ports,
  secrets: {
    ...w.ports.secrets,
    list: async ({ prefix = '' }) => names.filter((name) => name.startsWith(prefix)).sort(),
  },
});
const isIn = ({ from = '', before }: FleetPart, name: string): boolean =>
  name >= from && (before === undefined || name < before);
/** Passes a value on as a state machine does. */
const throughStates = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
const stepOf = (input: object) => parseFleetStep(throughStates(input));

describe('a plan', () => {
  it.each([
    [0, []],
    [1, [1]],
    [PART_ARRAYS, [PART_ARRAYS]],
    [PART_ARRAYS + 1, [PART_ARRAYS, 1]],
    [10_000, Array(20).fill(PART_ARRAYS)],
    [MAX_PARTS * PART_ARRAYS + 1, [...Array(MAX_PARTS - 1).fill(PART_ARRAYS + 1), 402]],
  ])('a fleet of %i arrays has parts of up to 500 arrays, and at most 100 parts', async (count, sizes) => {
    const w = world();
    const names = numbered(count);
    const { arrays, parts } = await planCheck(listing(w, names), w.now() + LATER);
    expect(arrays).toBe(count);
    expect(parts.map(({ planned }) => planned)).toEqual(sizes);
    for (const part of parts) expect(names.filter((name) => isIn(part, name))).toHaveLength(part.planned);
    expect(parts.reduce((sum, { maxBytes }) => sum + maxBytes, 0)).toBeLessThanOrEqual(RESULTS_BYTES);
  });

  it('a fleet of one part is listed once, and larger parts are listed again', async () => {
    const lists = async (count: number) => {
      const w = world();
      const names = numbered(count);
      let listed = 0;
      const ports = listing(w, names);
      const list: typeof ports.secrets.list = (options) => {
        listed += 1;
        return ports.secrets.list(options);
      };
      const counting = { ...ports, secrets: { ...ports.secrets, list } };
      const { parts } = await planCheck(counting, w.now() + LATER);
      // Too little time is left to check any array.
      for (const part of parts) await checkPart(counting, part, w.now() + 39_999);
      return listed;
    };
    expect([await lists(PART_ARRAYS), await lists(PART_ARRAYS + 1)]).toEqual([1, 3]);
  });

  it('every possible name is in exactly one part, also a name that is added later', async () => {
    const w = world();
    const { next } = randomOf(5);
    const letters = 'AZaz09._-';
    const anyName = () =>
      `a${Array.from({ length: Math.floor(next() * 5) }, () => letters[Math.floor(next() * letters.length)]).join('')}`;
    const names = [...new Set(Array.from({ length: 3000 }, anyName))];
    const { parts } = await planCheck(listing(w, names), w.now() + LATER);
    expect(parts.length).toBeGreaterThan(2);
    const others = Array.from({ length: 2000 }, anyName);
    for (const name of [...names, ...others, '0', 'zzz']) {
      expect(parts.filter((part) => isIn(part, name))).toHaveLength(1);
    }
  });

  it('the largest plan and its results fit into a state of 256 KiB', async () => {
    const w = world();
    const names = numbered(60_000).map((name) => name.padEnd(64, 'x'));
    const secrets = Array.from({ length: 30 }, (_, n) => `${'ü/'.repeat(200)}${n}`);
    const plan = await planCheck(listing(w, [...names, ...secrets]), w.now() + LATER);
    expect(plan.ignoredSecrets).toHaveLength(20);
    expect(plan.parts).toHaveLength(MAX_PARTS);
    expect(bytes(plan) + RESULTS_BYTES + 100 * MAX_PARTS).toBeLessThan(256 * 1024);
  });

  it('a plan opens no session, and fails if the secrets cannot be listed', async () => {
    const w = world();
    await planCheck(w.ports, w.now() + LATER);
    expect(w.calls).not.toContain('login');
    const broken = { ...w.ports, secrets: { ...w.ports.secrets, list: fail(awsDown) as never } };
    await expect(planCheck(broken, w.now() + LATER)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });
});

describe('a part', () => {
  const PART: FleetPart = { planned: 2, maxBytes: 10_000 };
  const part = (w: World, fields: Partial<FleetPart> = {}, ms = LATER) =>
    checkPart(w.ports, { ...PART, ...fields }, w.now() + ms);

  it('the arrays in its range are checked, and no others', async () => {
    const w = world();
    for (const name of ['fb0', 'fb10', 'fb3']) w.addArray(name);
    expect(await part(w, { from: 'fb1', before: 'fb2' })).toMatchObject({ planned: 2, checked: 2, healthy: 2 });
    expect([w.logouts('fb0'), w.logouts('fb1'), w.logouts('fb10'), w.logouts('fb2')]).toEqual([0, 1, 1, 0]);
  });

  it('only the secrets with the common prefix of its range are listed', async () => {
    const w = world();
    const prefixes: (string | undefined)[] = [];
    const list = async ({ prefix }: { prefix?: string }) => {
      prefixes.push(prefix);
      return [];
    };
    const ports = { ...w.ports, secrets: { ...w.ports.secrets, list } };
    for (const range of [{}, { before: 'fb2' }, { from: 'fb1' }, { from: 'fb10', before: 'fb12' }]) {
      await checkPart(ports, { ...PART, ...range }, w.now() + LATER);
    }
    expect(prefixes).toEqual(['', '', '', 'fb1']);
    expect([commonPrefix('ab', 'abc'), commonPrefix('x', 'y'), commonPrefix('', 'y')]).toEqual(['ab', '', '']);
  });

  it('it reports each array, but leaves the metrics of the fleet to the conclusion', async () => {
    const w = world();
    await part(w);
    expect(w.events()).toContain('ArrayChecked');
    expect(w.events()).not.toContain('FleetChecked');
  });

  it('arrays that one round does not reach are checked by the next, and in the third round they are given up', async () => {
    const w = world();
    const names = numbered(40);
    for (const name of names) w.addArray(name);
    w.facts.set('fb00000', { statuses: { arrays: 503 } });
    const range = { from: 'fb0', before: 'fb1', planned: 40 };
    const slow = async (fields: Partial<FleetPart>) => {
      w.once('logout', async (act) => {
        w.pass(20);
        return act();
      });
      const step = stepOf({ step: 'check', part: { ...PART, ...fields } });
      if (!('step' in step) || step.step !== 'check') throw new Error('another step');
      return throughStates(await checkPart({ ...w.ports, random: () => 0 }, step.part, w.now() + 44_000));
    };
    const first = (await slow(range)) as { part: FleetPart };
    expect(first.part).toMatchObject({ round: 2, names: names.slice(16), soFar: { checked: 16, healthy: 15 } });
    const second = (await slow(first.part)) as { part: FleetPart };
    expect(second.part).toMatchObject({ round: 3, names: names.slice(32), soFar: { checked: 32, notChecked: 0 } });
    expect(await slow(second.part)).toMatchObject({ planned: 40, checked: 40, healthy: 39, notChecked: 0 });
    expect(w.events()).not.toContain('ArrayNotChecked');
    const third = { ...second.part, names: names.slice(0, 20) };
    expect(await slow(third)).toMatchObject({ planned: 40, checked: 48, notChecked: 4 });
    expect(w.events().filter((event) => event === 'ArrayNotChecked')).toHaveLength(4);
    expect(w.events()).not.toContain('FleetChecked');
  });

  it('arrays that AWS kept it from checking are checked in the next round', async () => {
    const w = world();
    w.once('write OPENING', fail(awsDown));
    const first = await checkPart({ ...w.ports, random: () => 0 }, PART, w.now() + LATER);
    expect(first).toMatchObject({ part: { round: 2, names: ['fb1'], soFar: { checked: 1, healthy: 1 } } });
    const { part: rest } = first as { part: FleetPart };
    expect(await part(w, rest)).toMatchObject({ planned: 2, checked: 2, healthy: 2, notChecked: 0 });
    expect(w.events()).not.toContain('ArrayNotChecked');
  });

  it('an array whose secret was deleted after the plan counts nowhere', async () => {
    const w = world();
    const result = await part(w, { round: 2, names: ['fb1', 'removed', 'fb2'], planned: 3 });
    expect(result).toMatchObject({ planned: 3, checked: 2, healthy: 2, notChecked: 0, unhealthy: [] });
    expect(w.reports.filter(({ array }) => array === 'removed')).toMatchObject([{ event: 'ArrayRemoved' }]);
  });

  it('its result fits into its share', async () => {
    const w = world();
    const names = numbered(50);
    for (const name of names) w.addArray(name);
    const died = { ...w.ports.flashblade, apiVersions: fail(unreachable(false)) as never };
    const result = await checkPart(
      { ...w.ports, flashblade: died },
      { names, planned: 50, maxBytes: 2000 },
      w.now() + LATER,
    );
    expect(bytes(result)).toBeLessThanOrEqual(2000);
    expect(result).toMatchObject({ planned: 50, checked: 50, healthy: 0 });
    const { omitted = 0, unhealthy } = result as PartResult;
    expect([omitted > 0, omitted + unhealthy.length]).toEqual([true, 50]);
  });
});

describe('the conclusion', () => {
  const WELL = {
    planned: 500,
    checked: 499,
    healthy: 498,
    notChecked: 1,
    unhealthy: [],
    warnings: [],
    unknownSessions: 2,
  };

  it.each([
    ['is missing', []],
    ['is an error', [{ Error: 'States.TaskFailed', Cause: '{}' }]],
    ['is nothing', [null]],
    ['is incomplete', [{ ...WELL, unhealthy: undefined }]],
    ['is no count', [{ ...WELL, checked: -1 }]],
  ])('no array of a part whose result %s was checked, and none of them is unhealthy', (_, failed) => {
    const w = world();
    const unhealthy = [{ array: 'fb1', code: 'ARRAY_BUSY', reason: 'busy' }];
    const input = { arrays: 1400, ignoredSecrets: ['dev/fb1'], results: [WELL, ...failed, { ...WELL, unhealthy }] };
    const step = stepOf({ step: 'conclude', ...input });
    if (!('step' in step) || step.step !== 'conclude') throw new Error('another step');
    expect(concludeCheck(w.ports, step)).toEqual({
      checked: 998,
      healthy: 996,
      notChecked: 402,
      unhealthy,
      warnings: [],
      unknownSessions: 4,
      ignoredSecrets: ['dev/fb1'],
    });
    const gauges = { HealthyArrays: 996, UnhealthyArrays: 2, UncheckedArrays: 402, UnknownSessions: 4 };
    const message = '996 of 998 arrays are healthy, and 402 were not checked';
    expect(w.reports).toMatchObject([{ event: 'FleetChecked', gauges, message }]);
  });

  it('a whole check is reported once, without a warning', async () => {
    const w = world();
    const plan = await planCheck(w.ports, w.now() + LATER);
    const results = await Promise.all(plan.parts.map((one) => checkPart(w.ports, one, w.now() + LATER)));
    w.reports.length = 0;
    expect(concludeCheck(w.ports, { ...plan, results })).toMatchObject({ checked: 2, healthy: 2, notChecked: 0 });
    expect(w.events()).toEqual(['FleetChecked']);
  });
});

describe('a step', () => {
  it.each([
    [{ step: 'plan', arrays: ['fb1'] }, 'step plan: has an unknown field: arrays'],
    [{ step: 'Plan' }, 'step must be plan, check or conclude'],
    [{ step: 'toString' }, 'step must be plan, check or conclude'],
    [{ step: 'check' }, 'step check: part must be a JSON object'],
    [{ step: 'check', part: { planned: 1, maxBytes: 0 } }, 'part.maxBytes must be a whole number'],
    [{ step: 'check', part: { planned: 1, maxBytes: 9, from: '../x' } }, 'part.from must be an array name'],
    [{ step: 'check', part: { planned: 1, maxBytes: 9, soFar: { checked: 1 } } }, 'part.soFar.healthy must be'],
    [{ step: 'conclude', arrays: 1, ignoredSecrets: [] }, 'results must be a list'],
    [{ arrays: ['fb1'], from: 'fb1' }, 'has an unknown field: from'],
  ])('%j is refused with the field and the rule', (input, rule) => {
    expect(() => parseFleetStep(input)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(() => parseFleetStep(input)).toThrow(rule);
  });

  it('a request without a step is a request to check arrays', () => {
    expect(parseFleetStep({ arrays: ['fb1', 'fb1'] })).toEqual({ arrays: ['fb1'] });
    expect(parseFleetStep({})).toEqual({});
  });
});
