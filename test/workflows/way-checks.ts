/** Rules of the ways through a state machine: none past a logout, none that hides a failure, none that loses the lease. */
import { type Flow, flowsOf, functionOf, type Machine, type State } from './machine.ts';
import { reachable, uncaught } from './ways.ts';

const isLogout = (state: State): boolean => functionOf(state) === 'logout';
const isEnd = ({ Type, End = false }: State): boolean => End || Type === 'Succeed' || Type === 'Fail';

/** Every state on a way that begins with a login. */
function fromLogin(flow: Flow, stop: (state: State) => boolean = () => false): [string, State][] {
  const logins = Object.entries(flow.States).filter(([, state]) => functionOf(state) === 'login');
  return logins.flatMap(([login]) => [...reachable(flow, login, stop)]);
}

/** From a login on, every way leads through a logout, and whatever can fail is caught before it. */
export function wayFaults(machine: Machine): string[] {
  const before = flowsOf(machine).flatMap((flow) => fromLogin(flow, isLogout));
  return before
    .filter(([, state]) => !isLogout(state))
    .flatMap(([name, state]) => [
      ...(uncaught(state) ? [`${name}: if it fails, nobody logs out`] : []),
      ...(isEnd(state) ? [`${name}: ends without a logout`] : []),
    ]);
}

/** From where something has failed on: no later failure takes its place, and every end tells it. */
export function failureFaults(machine: Machine): string[] {
  return flowsOf(machine).flatMap((flow) =>
    failuresOf(flow).flatMap(({ name, next }) => {
      const after = [...reachable(flow, next, () => false)];
      const hiding = after.filter(([, state]) => resultPathsOf(state).includes('$.failure'));
      const silent = after.filter(([, state]) => isEnd(state) && !tellsFailure(state));
      return [
        ...hiding.map(([later]) => `${name}: its failure is hidden by ${later}`),
        ...silent.map(([end]) => `${name}: its failure is not told by ${end}`),
      ];
    }),
  );
}

/** States that leave in `$.failure` what went wrong, and where their ways go on. */
const failuresOf = ({ States }: Flow): { name: string; next: string }[] =>
  Object.entries(States).flatMap(([name, { ResultPath, Next = '', Catch = [] }]) => [
    ...(ResultPath === '$.failure' ? [{ name, next: Next }] : []),
    ...Catch.filter((one) => one.ResultPath === '$.failure').map((one) => ({ name, next: one.Next })),
  ]);

const resultPathsOf = ({ ResultPath, Catch = [] }: State): (string | undefined)[] => [
  ResultPath,
  ...Catch.map((one) => one.ResultPath),
];

const tellsFailure = ({ ErrorPath, CausePath, Parameters = {} }: State): boolean =>
  (ErrorPath === '$.failure.Error' && CausePath === '$.failure.Cause') ||
  (Parameters['ok'] === false && Parameters['code.$'] === '$.failure.Error');

/** From a login on, no state replaces or drops what came in, and what is caught has its place. */
export function keepFaults(machine: Machine): string[] {
  return flowsOf(machine).flatMap((flow) => {
    const failed = new Set(failuresOf(flow).flatMap(({ next }) => [...reachable(flow, next, () => false).keys()]));
    return fromLogin(flow).flatMap(([name, state]) => {
      const { Type, Next, ResultPath = '$', OutputPath, Catch = [] } = state;
      const kept = Next === undefined || Type === 'Choice' || (isPlace(ResultPath) && OutputPath === undefined);
      const place = failed.has(name) ? '$.logoutFailure' : '$.failure';
      return [
        ...(kept ? [] : [`${name}: its result replaces what came in`]),
        ...Catch.filter((one) => one.ResultPath !== place).map(() => `${name}: a failure must be caught in ${place}`),
      ];
    });
  });
}

/** A field of its own, none that others need. */
const isPlace = (path: string): boolean => /^\$\.\w+$/.test(path) && !['$.array', '$.leaseId'].includes(path);
