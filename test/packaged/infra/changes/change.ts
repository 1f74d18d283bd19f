/** The checks of a template, and the type of a change that a check must detect. */

import { roleFaults } from '../access-checks.ts';
import { alarmFaults } from '../alarm-checks.ts';
import { dashboardFaults } from '../dashboard-checks.ts';
import { eventFaults } from '../event-checks.ts';
import { functionFaults, placeFaults } from '../function-checks.ts';
import { keyFaults } from '../key-checks.ts';
import { scheduleFaults } from '../schedule-checks.ts';
import { tableFaults } from '../table-checks.ts';
import { at, type Json, keyOf, type Template } from '../template.ts';

export const CHECKS = {
  functionFaults,
  placeFaults,
  roleFaults: (template: Template) => roleFaults(template),
  keyFaults,
  tableFaults,
  eventFaults,
  scheduleFaults,
  alarmFaults,
  dashboardFaults,
};

/** A description, the path, the new value (undefined: removed), and the fault that the check must report. */
export type Change = [what: string, path: (string | number)[], value: Json | undefined, fault: string];

/** As the value of a change: removes what was there. */
export const GONE = undefined;

/** A copy of the template with one change. */
export const withChange = (template: Template, path: (string | number)[], value: Json | undefined): Template => {
  const changed = structuredClone(template);
  const parent = at(changed.Resources, ...path.slice(0, -1));
  if (parent === undefined || parent === null || typeof parent !== 'object') {
    throw new Error(`${path.join('.')} is not in the template`);
  }
  Object.assign(parent, { [keyOf(parent, path.at(-1) ?? '')]: value });
  // Removes what was set to undefined.
  return JSON.parse(JSON.stringify(changed)) as Template;
};
