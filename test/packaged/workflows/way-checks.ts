/** Rules for the paths through a state machine: no path skips the logout, hides a failure or loses the lease. */
import { type Flow, flowsOf, functionOf, type Machine, type State } from './machine.ts';
import { reachable, uncaught } from './ways.ts';

const isLogout = (state: State): boolean => functionOf(state) === 'logout';
const isEnd = ({ Type, End = false }: State): boolean => End || Type === 'Succeed' || Type === 'Fail';

/** Every state on a path that begins with a login. */
function fromLogin(flow: Flow, stop: (state: State) => boolean = () => false): [string, State][] {
  const logins = Object.entries(flow.States).filter(([, state]) => functionOf(state) === 'login');
  return logins.flatMap(([login]) => [...reachable(flow, login, stop)]);
}

/** From a login on, every path leads through a logout, and every failure before the logout is caught. */
export function wayFaults(machine: Machine): string[] {
  const before = flowsOf(machine).flatMap((flow) => fromLogin(flow, isLogout));
  return before
    .filter(([, state]) => !isLogout(state))
    .flatMap(([name, state]) => [
      ...(uncaught(state) ? [`${name}: if it fails, no logout follows`] : []),
      ...(isEnd(state) ? [`${name}: ends without a logout`] : []),
    ]);
}

/** After a failure, no later failure replaces it, and every end reports it. */
export function failureFaults(machine: Machine): string[] {
  return flowsOf(machine).flatMap((flow) =>
    failuresOf(flow).flatMap(({ name, next }) => {
      const after = [...reachable(flow, next, () => false)];
      const hiding = after.filter(([, state]) => resultPathsOf(state).includes('$.failure'));
      const silent = after.filter(([, state]) => isEnd(state) && !reportsFailure(state));
      return [
        ...hiding.map(([later]) => `${name}: its failure is hidden by ${later}`),
        ...silent.map(([end]) => `${name}: its failure is not told by ${end}`),
      ];
    }),
  );
}

/** States that write a failure to `$.failure`, and the states that follow. */
const failuresOf = ({ States }: Flow): { name: string; next: string }[] =>
  Object.entries(States).flatMap(([name, { ResultPath, Next = '', Catch = [] }]) => [
    ...(ResultPath === '$.failure' ? [{ name, next: Next }] : []),
    ...Catch.filter((one) => one.ResultPath === '$.failure').map((one) => ({ name, next: one.Next })),
  ]);

const resultPathsOf = ({ ResultPath, Catch = [] }: State): (string | undefined)[] => [
  ResultPath,
  ...Catch.map((one) => one.ResultPath),
];

const reportsFailure = ({ ErrorPath, CausePath, Parameters = {} }: State): boolean =>
  (ErrorPath === '$.failure.Error' && CausePath === '$.failure.Cause') ||
  (Parameters['ok'] === false && Parameters['code.$'] === '$.failure.Error');

/** From a login on, no state replaces or drops its input, and a caught failure goes to a defined field. */
export function keepFaults(machine: Machine): string[] {
  return flowsOf(machine).flatMap((flow) => {
    const failed = new Set(failuresOf(flow).flatMap(({ next }) => [...reachable(flow, next, () => false).keys()]));
    return fromLogin(flow).flatMap(([name, state]) => {
      const { Type, Next, ResultPath = '$', OutputPath, Catch = [] } = state;
      const kept = Next === undefined || Type === 'Choice' || (isOwnField(ResultPath) && OutputPath === undefined);
      const field = failed.has(name) ? '$.logoutFailure' : '$.failure';
      return [
        ...(kept ? [] : [`${name}: its result replaces what came in`]),
        ...Catch.filter((one) => one.ResultPath !== field).map(() => `${name}: a failure must be caught in ${field}`),
      ];
    });
  });
}

/** A field that no other state needs. */
const isOwnField = (path: string): boolean => /^\$\.\w+$/.test(path) && !['$.array', '$.leaseId'].includes(path);
