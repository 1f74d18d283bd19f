/** The graph of a state machine. */
import type { Flow, State } from './machine.ts';

/** States that may directly follow this one, including after a failure. */
export const nextOf = ({ Next, Default, Choices = [], Catch = [] }: State): string[] =>
  [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((catcher) => catcher.Next)].filter(
    (name) => name !== undefined,
  );

/** The states on all paths from `start`, by name. A path ends at a state for which `stop` returns true. */
export function reachable(flow: Flow, start: string, stop: (state: State) => boolean): Map<string, State> {
  const seen = new Map<string, State>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = flow.States[name];
    if (state === undefined || seen.has(name)) continue;
    seen.set(name, state);
    if (!stop(state)) open.push(...nextOf(state));
  }
  return seen;
}

const CAN_FAIL = ['Task', 'Map', 'Parallel'];

/** Whether the state can fail with an error that it does not catch. */
export const uncaught = ({ Type, Catch = [] }: State): boolean =>
  CAN_FAIL.includes(Type) && !Catch.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
