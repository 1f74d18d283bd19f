/** For each rule of the checks, changes of a state machine that it must detect. */
import type { CHECKS } from './checks.ts';
import { flowsOf, type Machine } from './machine.ts';

/**
 * A description, the path in the states of the machine or the Map, the new value (undefined: removed), and the fault that the
 * check must report.
 */
type Change = readonly [what: string, path: readonly (string | number)[], value: unknown, fault: string];

const GONE = undefined;

/** A copy of the machine with one change. Finds the state in any of its flows. */
export function withChange(machine: Machine, [state, ...path]: Change[1], value: unknown): Machine {
  const changed = structuredClone(machine);
  const flow = flowsOf(changed).find(({ States }) => String(state) in States);
  const steps: readonly (string | number)[] = [String(state), ...path];
  const parent = steps.slice(0, -1).reduce<unknown>((inner, step) => Object(inner)[step], flow?.States);
  if (parent === undefined) throw new Error(`${steps.join('.')} is not in the machine`);
  Object.assign(Object(parent), { [steps.at(-1) ?? '']: value });
  // Removes what was set to undefined.
  return JSON.parse(JSON.stringify(changed)) as Machine;
}

export const CHANGES: { readonly [check in keyof typeof CHECKS]: readonly Change[] } = {
  taskFaults: [
    [
      'a retry after a refused login',
      ['Login', 'Retry', 0, 'ErrorEquals', 0],
      'LOGIN_REFUSED',
      'LOGIN_REFUSED must not',
    ],
    ['a retry after every error', ['Work', 'Retry', 0, 'ErrorEquals'], ['States.ALL'], 'States.ALL must not'],
    ['a logout without a retry', ['Logout', 'Retry'], GONE, 'Logout: ARRAY_UNREACHABLE must'],
    ['no retry after an unknown login', ['Login', 'Retry', 0, 'ErrorEquals', 3], 'ARRAY_BUSY', 'LOGIN_UNKNOWN must be'],
  ],
  timeFaults: [
    ['work without a time-out', ['Work', 'TimeoutSeconds'], GONE, 'Work: TimeoutSeconds'],
    ['a task time-out shorter than that of its function', ['Login', 'TimeoutSeconds'], 30, 'Login: TimeoutSeconds'],
    ['a lease shorter than the work', ['Login', 'Parameters', 'leaseSeconds'], 300, 'the lease may end'],
    ['too few retries of a login', ['Login', 'Retry', 0, 'MaxAttempts'], 2, 'outlast a dead opening'],
  ],
  leaseFaults: [
    ['a lease without an owner', ['Login', 'Parameters', 'owner.$'], GONE, 'Login: owner'],
    ['an owner whose end is never reported', ['Login', 'Parameters', 'owner.$'], '$$.Execution.Name', 'Login: owner'],
    ['a logout of another lease', ['Logout', 'Parameters', 'leaseId.$'], '$.lease.array', 'Logout: leaseId'],
    ['one lease for all executions', ['Login', 'Parameters', 'leaseId.$'], '$.array', 'Login: leaseId'],
  ],
  mapFaults: [
    ['one lease for all arrays', ['Arrays', 'ItemSelector', 'leaseId.$'], '$$.Execution.Id', 'Arrays: leaseId'],
    ['unlimited concurrency', ['Arrays', 'MaxConcurrency'], 0, 'Arrays: MaxConcurrency'],
  ],
  wayFaults: [
    ['work without a Catch', ['Work', 'Catch'], GONE, 'Work: if it fails'],
    ['work that catches only one error', ['Work', 'Catch', 0, 'ErrorEquals'], ['FORBIDDEN'], 'Work: if it fails'],
    ['a login without a Catch', ['Login', 'Catch'], GONE, 'Login: if it fails'],
    ['no logout after a failure', ['Work', 'Catch', 0, 'Next'], 'Failed', 'Failed: ends without'],
    ['no logout after a failed call', ['NotAnswered', 'Next'], 'Failed', 'Failed: ends without'],
    ['no logout after success', ['Answered', 'Choices', 0, 'Next'], 'Failed', 'Failed: ends without'],
  ],
  failureFaults: [
    ["a logout that hides the work's failure", ['LogoutAfterFailure', 'ResultPath'], '$.failure', 'hidden by Logout'],
    [
      "a failed logout that hides the work's failure",
      ['LogoutAfterFailure', 'Catch', 0, 'ResultPath'],
      '$.failure',
      'hidden by Logout',
    ],
    ['failed work that ends in success', ['LogoutAfterFailure'], { Type: 'Succeed' }, 'not told by LogoutAfterFailure'],
    ['a failure without its code', ['Failed'], { Type: 'Fail', Error: 'FAILED' }, 'not told by Failed'],
  ],
  keepFaults: [
    ['a result that drops the lease', ['Work', 'ResultPath'], GONE, 'Work: its result'],
    ['a result that replaces the lease id', ['Login', 'ResultPath'], '$.leaseId', 'Login: its result'],
    ['a failure that drops the lease', ['Work', 'Catch', 0, 'ResultPath'], GONE, 'Work: a failure must'],
    ['a failure in an unexpected field', ['Login', 'Catch', 0, 'ResultPath'], '$.error', 'Login: a failure must'],
  ],
};
