import { describe, expect, it, vi } from 'vitest';
import { brokenCopy, tell } from './controls.ts';
import { MISTAKES, SCHEDULES as MODULE, proveSchedules } from './prove-schedules.ts';
import { runSchedule, type Summary } from './schedules.ts';
import { DIMENSION_NAMES } from './world/dimensions.ts';

vi.setConfig({ testTimeout: 240_000 });

const SCHEDULES = 600;
/** Some mistakes need rare circumstances. */
const SCHEDULES_UNTIL_FOUND = 3000;
/** Each of these must happen in all dimensions together, otherwise the schedules prove less than they claim. */
const HAPPENINGS = [
  ...['LoginSucceeded', 'LogoutSucceeded', 'LogoutFailed', 'LeaseServed', 'LeaseStuck', 'SuspectRecorded', 'SweepDone'],
  ...['LOGIN_REFUSED', 'LOGIN_UNKNOWN', 'LEASE_OPENING', 'LEASE_ENDED', 'LEASE_CONFLICT', 'LEASE_LIMIT', 'OUT_OF_TIME'],
  ...['ARRAY_UNREACHABLE', 'ARRAY_BUSY', 'ANSWER_INVALID', 'FORBIDDEN', 'AWS_UNAVAILABLE', 'SECRET_UNAVAILABLE'],
  ...['failed', 'lost', 'repeated', 'died before', 'died after', 'stopped', 'delivered', 'former code', 'late'],
  ...['FleetChecked', 'RequestOutdated', 'sent opened', 'sent closed', 'sent failed'],
  ...['SUSPECT dropped by check', 'SUSPECT dropped by sweep'],
  ...['aborted while opening', 'aborted at work', 'outlasted', 'RenewalFailed'],
];

describe('schedules', () => {
  const happened = new Map<string, number>();

  it.each(DIMENSION_NAMES)(
    `${SCHEDULES} schedules forget no session, keep none open and leave nothing behind: %s`,
    async (dimension) => {
      const proved = await proveSchedules([dimension], { from: 1, count: SCHEDULES, processes: 2 });
      for (const [what, times] of Object.entries(proved.happened))
        happened.set(what, (happened.get(what) ?? 0) + times);
      expect(proved.wrong).toEqual([]);
      expect(proved.schedules).toBe(SCHEDULES);
    },
  );

  it('the schedules cover every kind of event at least ten times', () => {
    expect(HAPPENINGS.filter((what) => (happened.get(what) ?? 0) < 10)).toEqual([]);
  });

  it.each(DIMENSION_NAMES)(
    'a schedule takes the same steps each time it runs with the same seed: %s',
    async (dimension) => {
      const traces = await Promise.all(
        [0, 1].map(async () => {
          const lines: string[] = [];
          await runSchedule(3, dimension, (line) => lines.push(line));
          return lines;
        }),
      );
      expect(traces[0]?.length).toBeGreaterThan(20);
      expect(traces[1]).toEqual(traces[0]);
    },
  );

  it.each(MISTAKES)('the schedules fail if $what', async ({ dimension, seed, patches }) => {
    await using broken = await brokenCopy(MODULE, patches);
    const { wrong } = await tell<Summary>(broken.path, 'runSchedules', [dimension, seed, SCHEDULES_UNTIL_FOUND, 1]);
    expect(wrong).toHaveLength(1);
  });
});
