/** For each rule of the checks, a change of the template that it must detect. */
import type { CHECKS, Change } from './change.ts';
import { OF_KEYS, OF_ROLES } from './of-access.ts';
import { OF_ALARMS, OF_DASHBOARD } from './of-alarms.ts';
import { OF_EVENTS } from './of-events.ts';
import { OF_FUNCTIONS, OF_PLACES, OF_SCHEDULES, OF_TABLE } from './of-functions.ts';

export { CHECKS, withChange } from './change.ts';

const BY_CHECK: { readonly [check in keyof typeof CHECKS]: readonly Change[] } = {
  functionFaults: OF_FUNCTIONS,
  placeFaults: OF_PLACES,
  roleFaults: OF_ROLES,
  keyFaults: OF_KEYS,
  tableFaults: OF_TABLE,
  eventFaults: OF_EVENTS,
  scheduleFaults: OF_SCHEDULES,
  alarmFaults: OF_ALARMS,
  dashboardFaults: OF_DASHBOARD,
};

export const CHANGES = Object.entries(BY_CHECK).flatMap(([check, changes]) =>
  changes.map((change) => [check as keyof typeof CHECKS, ...change] as const),
);
