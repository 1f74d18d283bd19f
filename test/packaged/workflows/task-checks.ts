/** Rules for single tasks: which errors are retried, how long a task may take, which lease it uses. */
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { configurationOf } from '../../kit/packaged.ts';
import { type Flow, flowsOf, functionOf, type Machine, mapsOf, type Retrier, type State, tasksOf } from './machine.ts';

/** Retryable error codes of the product, and Step Functions' names for transient failures of Lambda. */
const RETRIED = [
  ...Object.entries(ERROR_CODES).flatMap(([code, { retryable }]) => (retryable ? [code] : [])),
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Sandbox.Timedout',
];
/** An opening whose process died blocks its lease for the function's time-out plus this. */
const AFTER_A_DEAD_OPENING_SECONDS = 6;
const EXECUTION_ID = '$$.Execution.Id';
const LEASE_PER_ARRAY = "States.Format('{}:{}', $$.Execution.Id, $$.Map.Item.Value)";

/** Every task retries exactly the errors that may succeed later. */
export function taskFaults(machine: Machine): string[] {
  return tasksOf(machine).flatMap(([name, { Retry = [] }]) => {
    const codes = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
    const missing = RETRIED.filter((code) => !codes.includes(code)).map((code) => `${name}: ${code} must be repeated`);
    const others = codes.filter((code, n) => !RETRIED.includes(code) || codes.indexOf(code) !== n);
    return [...missing, ...others.map((code) => `${name}: ${code} must not be repeated`)];
  });
}

/** Every wait is bounded, a function ends before its task, and a lease lasts until its work has ended. */
export function timeFaults(machine: Machine): string[] {
  const { TimeoutSeconds: whole = Number.POSITIVE_INFINITY } = machine;
  const endless = Number.isFinite(whole) ? [] : ['the machine has no TimeoutSeconds'];
  const tasks = tasksOf(machine).flatMap(([name, state]) => {
    const { TimeoutSeconds: limit = Number.POSITIVE_INFINITY } = state;
    const functionSeconds = functionSecondsOf(state);
    return limit > functionSeconds && limit < whole ? [] : [`${name}: TimeoutSeconds`];
  });
  return [...endless, ...tasks, ...flowsOf(machine).flatMap(leaseTimeFaults)];
}

function leaseTimeFaults({ States }: Flow): string[] {
  const tasks = Object.values(States).filter(({ Type }) => Type === 'Task');
  const logins = tasks.filter((state) => functionOf(state) === 'login');
  const untilLogout = tasks.filter((state) => functionOf(state) !== 'logout').map(longestSeconds);
  const needed = untilLogout.reduce((sum, seconds) => sum + seconds, 0);
  return logins.flatMap((login) => {
    const { Parameters = {}, Retry = [] } = login;
    const short =
      Number(Parameters['leaseSeconds']) >= needed ? [] : [`the lease may end before the work: ${needed} s`];
    const blocked = functionSecondsOf(login) + AFTER_A_DEAD_OPENING_SECONDS;
    return waitsOf(Retry) > blocked
      ? short
      : [...short, `the waits of login must outlast a dead opening: ${blocked} s`];
  });
}

const functionSecondsOf = (state: State): number =>
  configurationOf(functionOf(state) ?? '', { LeaseTable: '-', LeaseKey: '-' }).timeoutMs / 1000;

const waitsOf = (retry: readonly Retrier[]): number =>
  Math.max(
    0,
    ...retry.map(({ IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3 }) =>
      Array.from({ length: MaxAttempts }, (_, n) => IntervalSeconds * BackoffRate ** n).reduce((a, b) => a + b, 0),
    ),
  );

function longestSeconds({ TimeoutSeconds = Number.POSITIVE_INFINITY, Retry = [] }: State): number {
  const tries = 1 + Math.max(0, ...Retry.map(({ MaxAttempts = 3 }) => MaxAttempts));
  return tries * TimeoutSeconds + waitsOf(Retry);
}

/** All tasks use one lease per execution, or per execution and array, and the execution owns it. */
export function leaseFaults(machine: Machine): string[] {
  const lease = mapsOf(machine).length === 0 ? EXECUTION_ID : '$.leaseId';
  return tasksOf(machine).flatMap(([name, state]) => {
    const { 'leaseId.$': leaseId, 'owner.$': owner } = state.Parameters ?? {};
    const ownerless = functionOf(state) === 'login' && owner !== EXECUTION_ID;
    return [
      ...(leaseId === lease ? [] : [`${name}: leaseId must be ${lease}`]),
      ...(ownerless ? [`${name}: owner must be ${EXECUTION_ID}`] : []),
    ];
  });
}

/** Every array has its own lease, and concurrency is limited. */
export function mapFaults(machine: Machine): string[] {
  return mapsOf(machine).flatMap(([name, { ItemSelector = {}, MaxConcurrency = 0 }]) => [
    ...(ItemSelector['leaseId.$'] === LEASE_PER_ARRAY ? [] : [`${name}: leaseId must be ${LEASE_PER_ARRAY}`]),
    ...(MaxConcurrency >= 1 && MaxConcurrency <= 40 ? [] : [`${name}: MaxConcurrency must be 1 to 40`]),
  ]);
}
