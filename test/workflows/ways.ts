/** The graph of a state machine. */
import type { Flow, State } from './machine.ts';

/** States that may come right after this one, failures included. */
export const nextOf = ({ Next, Default, Choices = [], Catch = [] }: State): string[] =>
  [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((catcher) => catcher.Next)].filter(
    (name) => name !== undefined,
  );

/** The states on all ways that begin at `start`, by name. A way goes on behind a state unless `stop` says so. */
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

/** It can fail in a way that it does not catch itself. */
export const uncaught = ({ Type, Catch = [] }: State): boolean =>
  CAN_FAIL.includes(Type) && !Catch.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
