/** Rules that a state machine must follow so that its sessions end, beyond those of the language's own validator. */
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { configurationOf } from '../../kit/packaged.ts';
import { type Faults, rule } from '../infra/rules/rule.ts';
import { at, differs, GONE } from '../infra/template.ts';
import { type Flow, flowsOf, functionOf, type Machine, type State, statesOf } from './machine.ts';

/** Retryable error codes of the product, and Step Functions' names for transient failures of Lambda. */
const RETRIED = [
  ...Object.entries(ERROR_CODES).flatMap(([code, { retryable }]) => (retryable ? [code] : [])),
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Sandbox.Timedout',
];
/** An opening whose process died blocks its lease for the function's timeout plus this. */
const AFTER_A_DEAD_OPENING_SECONDS = 6;
const EXECUTION_ID = '$$.Execution.Id';
const LEASE_PER_ARRAY = "States.Format('{}:{}', $$.Execution.Id, $$.Map.Item.Value)";

type Find = (name: string, state: State, machine: Machine) => Faults;
const each = (type: string, find: Find) => (machine: Machine) =>
  statesOf(machine, type).map(([name, state]) => find(name, state, machine));
const eachFlow = (find: (flow: Flow) => Faults) => (machine: Machine) => flowsOf(machine).map(find);

const isLogin = (state: State): boolean => functionOf(state) === 'login';
const isLogout = (state: State): boolean => functionOf(state) === 'logout';
const isEnd = ({ Type, End = false }: State): boolean => End || Type === 'Succeed' || Type === 'Fail';

const functionSecondsOf = (state: State): number =>
  configurationOf(functionOf(state) ?? '', { LeaseTable: '-', LeaseKey: '-' }).timeoutMs / 1000;

/** The seconds between all tries of a task. */
const waitsOf = ({ Retry = [] }: State): number =>
  Math.max(
    0,
    ...Retry.map(({ IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3 }) =>
      Array.from({ length: MaxAttempts }, (_, n) => IntervalSeconds * BackoffRate ** n).reduce((a, b) => a + b, 0),
    ),
  );

/** The seconds that a task may take, with all its tries. */
function longestOf(state: State): number {
  const tries = 1 + Math.max(0, ...(state.Retry ?? []).map(({ MaxAttempts = 3 }) => MaxAttempts));
  return tries * (state.TimeoutSeconds ?? Number.POSITIVE_INFINITY) + waitsOf(state);
}

/** The states on all paths from `start`, by name. A path ends at a state for which `stop` returns true. */
function reachable(flow: Flow, start: string, stop: (state: State) => boolean = () => false): [string, State][] {
  const seen = new Map<string, State>();
  const open: (string | undefined)[] = [start];
  while (open.length > 0) {
    const name = open.pop() ?? '';
    const state = flow.States[name];
    if (state === undefined || seen.has(name)) continue;
    seen.set(name, state);
    const { Next, Default, Choices = [], Catch = [] } = state;
    if (!stop(state)) open.push(Next, Default, ...[...Choices, ...Catch].map((branch) => branch.Next));
  }
  return [...seen];
}

/** Every state on a path that begins with a login. */
const fromLogin = (flow: Flow, stop?: (state: State) => boolean): [string, State][] =>
  Object.entries(flow.States).flatMap(([name, state]) => (isLogin(state) ? reachable(flow, name, stop) : []));

/** States that write a failure to `$.failure`, and all states that may follow. */
const failuresOf = (flow: Flow): { name: string; after: [string, State][] }[] =>
  Object.entries(flow.States).flatMap(([name, state]) =>
    [state, ...(state.Catch ?? [])]
      .filter(({ ResultPath }) => ResultPath === '$.failure')
      .map(({ Next = '' }) => ({ name, after: reachable(flow, Next) })),
  );

const hidesFailure = (state: State): boolean =>
  [state, ...(state.Catch ?? [])].some(({ ResultPath }) => ResultPath === '$.failure');

const reportsFailure = ({ ErrorPath, CausePath, Parameters = {} }: State): boolean =>
  (ErrorPath === '$.failure.Error' && CausePath === '$.failure.Cause') ||
  (Parameters['ok'] === false && Parameters['code.$'] === '$.failure.Error');

/** A field that no other state needs. */
const isOwnField = (path: string): boolean => /^\$\.\w+$/.test(path) && !['$.array', '$.leaseId'].includes(path);

export const RULES = [
  rule(
    'every task retries exactly the errors that may succeed later',
    each('Task', (name, { Retry = [] }) => {
      const codes = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      const missing = RETRIED.filter((code) => !codes.includes(code));
      const others = codes.filter((code, n) => !RETRIED.includes(code) || codes.indexOf(code) !== n);
      return [
        missing.map((code) => `${name}: ${code} must be repeated`),
        others.map((code) => `${name}: ${code} must not be repeated`),
      ];
    }),
    ['a retry after a refused login', 'Login/Retry/0/ErrorEquals/0', 'LOGIN_REFUSED', 'LOGIN_REFUSED must not'],
    ['a retry after every error', 'Work/Retry/0/ErrorEquals', ['States.ALL'], 'States.ALL must not'],
    ['a logout without a retry', 'Logout/Retry', GONE, 'Logout: ARRAY_UNREACHABLE must'],
    ['no retry after an unknown login', 'Login/Retry/0/ErrorEquals/3', 'ARRAY_BUSY', 'LOGIN_UNKNOWN must be'],
  ),
  rule(
    'every wait is bounded, and a function ends before its task',
    each('Task', (name, task, { TimeoutSeconds: whole = Number.POSITIVE_INFINITY }) => {
      const { TimeoutSeconds: limit = Number.POSITIVE_INFINITY } = task;
      const isBounded = limit > functionSecondsOf(task) && limit < whole && Number.isFinite(whole);
      return !isBounded && `${name}: TimeoutSeconds`;
    }),
    ['work without a timeout', 'Work/TimeoutSeconds', GONE, 'Work: TimeoutSeconds'],
    ['a timeout shorter than that of its function', 'Login/TimeoutSeconds', 30, 'Login: TimeoutSeconds'],
  ),
  rule(
    'a lease lasts until its work has ended, and a login is retried until a dead opening has ended',
    eachFlow(({ States }) => {
      const tasks = Object.values(States).filter(({ Type }) => Type === 'Task');
      const needed = tasks.reduce((sum, task) => (isLogout(task) ? sum : sum + longestOf(task)), 0);
      return tasks.filter(isLogin).map((login) => {
        const isEnough = Number(login.Parameters?.['leaseSeconds']) >= needed;
        const blocked = functionSecondsOf(login) + AFTER_A_DEAD_OPENING_SECONDS;
        return [
          !isEnough && `the lease may end before the work: ${needed} s`,
          !(waitsOf(login) > blocked) && `the waits of login must outlast a dead opening: ${blocked} s`,
        ];
      });
    }),
    ['a lease shorter than the work', 'Login/Parameters/leaseSeconds', 300, 'the lease may end'],
    ['too few retries of a login', 'Login/Retry/0/MaxAttempts', 2, 'outlast a dead opening'],
  ),
  rule(
    'all tasks use one lease per execution, or per execution and array, and the execution owns it',
    each('Task', (name, task, machine) => {
      const leaseId = statesOf(machine, 'Map').length === 0 ? EXECUTION_ID : '$.leaseId';
      return [
        differs(`${name}: leaseId`, at(task, 'Parameters/leaseId.$'), leaseId),
        isLogin(task) && differs(`${name}: owner`, at(task, 'Parameters/owner.$'), EXECUTION_ID),
      ];
    }),
    ['a lease without an owner', 'Login/Parameters/owner.$', GONE, 'Login: owner'],
    ['an owner whose end is never reported', 'Login/Parameters/owner.$', '$$.Execution.Name', 'Login: owner'],
    ['a logout of another lease', 'Logout/Parameters/leaseId.$', '$.lease.array', 'Logout: leaseId'],
    ['one lease for all executions', 'Login/Parameters/leaseId.$', '$.array', 'Login: leaseId'],
  ),
  rule(
    'from a login on, every path leads through a logout, and every failure before the logout is caught',
    eachFlow((flow) =>
      fromLogin(flow, isLogout).map(([name, state]) => {
        const { Type, Catch = [] } = state;
        const canFail = /^(Task|Map|Parallel)$/.test(Type);
        const catchesAll = Catch.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
        return (
          !isLogout(state) && [
            canFail && !catchesAll && `${name}: if it fails, no logout follows`,
            isEnd(state) && `${name}: ends without a logout`,
          ]
        );
      }),
    ),
    ['work without a Catch', 'Work/Catch', GONE, 'Work: if it fails'],
    ['work that catches only one error', 'Work/Catch/0/ErrorEquals', ['FORBIDDEN'], 'Work: if it fails'],
    ['a login without a Catch', 'Login/Catch', GONE, 'Login: if it fails'],
    ['no logout after a failure', 'Work/Catch/0/Next', 'Failed', 'Failed: ends without'],
    ['no logout after a failed call', 'NotAnswered/Next', 'Failed', 'Failed: ends without'],
    ['no logout after success', 'Answered/Choices/0/Next', 'Failed', 'Failed: ends without'],
  ),
  rule(
    'after a failure, no later failure replaces it, and every end reports it',
    eachFlow((flow) =>
      failuresOf(flow).map(({ name, after }) =>
        after.map(([later, state]) => [
          hidesFailure(state) && `${name}: its failure is hidden by ${later}`,
          isEnd(state) && !reportsFailure(state) && `${name}: its failure is not reported by ${later}`,
        ]),
      ),
    ),
    ["a logout that hides the work's failure", 'LogoutAfterFailure/ResultPath', '$.failure', 'hidden by Logout'],
    ['a failed logout that hides it', 'LogoutAfterFailure/Catch/0/ResultPath', '$.failure', 'hidden by Logout'],
    ['failed work that ends in success', 'LogoutAfterFailure', { Type: 'Succeed' }, 'not reported by Logout'],
    ['a failure without its code', 'Failed', { Type: 'Fail', Error: 'FAILED' }, 'not reported by Failed'],
  ),
  rule(
    'from a login on, no state replaces or drops its input, and a caught failure goes to a defined field',
    eachFlow((flow) => {
      const failed = new Set(failuresOf(flow).flatMap(({ after }) => after.map(([name]) => name)));
      return fromLogin(flow).map(([name, { Type, Next, ResultPath = '$', OutputPath, Catch = [] }]) => {
        const isKept = Next === GONE || Type === 'Choice' || (isOwnField(ResultPath) && OutputPath === GONE);
        const field = failed.has(name) ? '$.logoutFailure' : '$.failure';
        return [
          !isKept && `${name}: its result replaces what came in`,
          Catch.map((one) => differs(`${name}: the field of a failure`, one.ResultPath, field)),
        ];
      });
    }),
    ['a result that drops the lease', 'Work/ResultPath', GONE, 'Work: its result'],
    ['a result that replaces the lease id', 'Login/ResultPath', '$.leaseId', 'Login: its result'],
    ['a failure that drops the lease', 'Work/Catch/0/ResultPath', GONE, 'Work: the field of a failure'],
    ['a failure in an unexpected field', 'Login/Catch/0/ResultPath', '$.error', 'Login: the field of a failure'],
  ),
];

export const MAP_RULES = [
  rule(
    'every array of a Map has its own lease',
    each('Map', (name, map) => differs(`${name}: leaseId`, at(map, 'ItemSelector/leaseId.$'), LEASE_PER_ARRAY)),
    ['one lease for all arrays', 'Arrays/ItemSelector/leaseId.$', '$$.Execution.Id'],
  ),
  rule(
    'a Map works on 1 to 40 arrays at a time',
    each('Map', (name, { MaxConcurrency = 0 }) => {
      const isBounded = MaxConcurrency >= 1 && MaxConcurrency <= 40;
      return !isBounded && `${name}: MaxConcurrency is ${MaxConcurrency}`;
    }),
    ['unlimited concurrency', 'Arrays/MaxConcurrency', 0],
  ),
];
