/** For each rule of the checks, changes of a machine that it must refuse. */
import type { CHECKS } from './checks.ts';
import { flowsOf, type Machine } from './machine.ts';

/** What is changed, where (in states of its own or of the Map), to what (undefined: it is gone), and what the check must say. */
type Change = readonly [what: string, path: readonly (string | number)[], value: unknown, told: string];

const GONE = undefined;

/** A copy of the machine with one change; the state is sought in all of its flows. */
export function withChange(machine: Machine, [state, ...path]: Change[1], value: unknown): Machine {
  const changed = structuredClone(machine);
  const flow = flowsOf(changed).find(({ States }) => String(state) in States);
  const steps: readonly (string | number)[] = [String(state), ...path];
  const parent = steps.slice(0, -1).reduce<unknown>((inner, step) => Object(inner)[step], flow?.States);
  if (parent === undefined) throw new Error(`${steps.join('.')} is not in the machine`);
  Object.assign(Object(parent), { [steps.at(-1) ?? '']: value });
  // What was set to undefined is gone then.
  return JSON.parse(JSON.stringify(changed)) as Machine;
}

export const CHANGES: { readonly [check in keyof typeof CHECKS]: readonly Change[] } = {
  taskFaults: [
    ['a refused login tried again', ['Login', 'Retry', 0, 'ErrorEquals', 0], 'LOGIN_REFUSED', 'LOGIN_REFUSED must not'],
    ['everything tried again', ['Work', 'Retry', 0, 'ErrorEquals'], ['States.ALL'], 'States.ALL must not'],
    ['a logout that is never tried again', ['Logout', 'Retry'], GONE, 'Logout: ARRAY_UNREACHABLE must'],
    ['an unknown login given up', ['Login', 'Retry', 0, 'ErrorEquals', 3], 'ARRAY_BUSY', 'LOGIN_UNKNOWN must be'],
  ],
  timeFaults: [
    ['work that may last for ever', ['Work', 'TimeoutSeconds'], GONE, 'Work: TimeoutSeconds'],
    ['a task that ends before its function', ['Login', 'TimeoutSeconds'], 30, 'Login: TimeoutSeconds'],
    ['a lease that ends before the work', ['Login', 'Parameters', 'leaseSeconds'], 300, 'the lease may end'],
    ['a login that gives up too early', ['Login', 'Retry', 0, 'MaxAttempts'], 2, 'outlast a dead opening'],
  ],
  leaseFaults: [
    ['nobody who owns the lease', ['Login', 'Parameters', 'owner.$'], GONE, 'Login: owner'],
    ['an owner whose end nobody tells', ['Login', 'Parameters', 'owner.$'], '$$.Execution.Name', 'Login: owner'],
    ['another lease logged out', ['Logout', 'Parameters', 'leaseId.$'], '$.lease.array', 'Logout: leaseId'],
    ['one lease for all executions', ['Login', 'Parameters', 'leaseId.$'], '$.array', 'Login: leaseId'],
  ],
  mapFaults: [
    ['one lease for all arrays', ['Arrays', 'ItemSelector', 'leaseId.$'], '$$.Execution.Id', 'Arrays: leaseId'],
    ['all arrays at once', ['Arrays', 'MaxConcurrency'], 0, 'Arrays: MaxConcurrency'],
  ],
  wayFaults: [
    ['work whose failure nobody catches', ['Work', 'Catch'], GONE, 'Work: if it fails'],
    ['work of which one failure is caught', ['Work', 'Catch', 0, 'ErrorEquals'], ['FORBIDDEN'], 'Work: if it fails'],
    ['a login whose failure nobody catches', ['Login', 'Catch'], GONE, 'Login: if it fails'],
    ['a logout skipped on failure', ['Work', 'Catch', 0, 'Next'], 'Failed', 'Failed: ends without'],
    ['a logout skipped on a bad answer', ['NotAnswered', 'Next'], 'Failed', 'Failed: ends without'],
    ['a logout forgotten', ['Answered', 'Choices', 0, 'Next'], 'Failed', 'Failed: ends without'],
  ],
  failureFaults: [
    ["a logout that hides the work's failure", ['LogoutAfterFailure', 'ResultPath'], '$.failure', 'hidden by Logout'],
    [
      'a failed logout that hides it',
      ['LogoutAfterFailure', 'Catch', 0, 'ResultPath'],
      '$.failure',
      'hidden by Logout',
    ],
    ['failed work that ends well', ['LogoutAfterFailure'], { Type: 'Succeed' }, 'not told by LogoutAfterFailure'],
    ['a failure without its code', ['Failed'], { Type: 'Fail', Error: 'FAILED' }, 'not told by Failed'],
  ],
  keepFaults: [
    ['a result that drops the lease', ['Work', 'ResultPath'], GONE, 'Work: its result'],
    ['a result in the place of the lease', ['Login', 'ResultPath'], '$.leaseId', 'Login: its result'],
    ['a failure that drops the lease', ['Work', 'Catch', 0, 'ResultPath'], GONE, 'Work: a failure must'],
    ['a failure where nobody looks', ['Login', 'Catch', 0, 'ResultPath'], '$.error', 'Login: a failure must'],
  ],
};
