/** Simulated arrays for tests of the verification: correct, or broken in one way. */
import { PACT_FILE, type Pact, readPact, statesOf } from '../../../contracts/pact-file.ts';
import type { ListState, ParametersOf, State } from '../../../contracts/states.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import type { Target } from '../../../contracts/targets/target.ts';
import type { Verification } from '../../../contracts/verification/verify.ts';
import type { RequestFault } from '../../../simulator/faults.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/index.ts';
import { simulated as simulatedArray } from '../flashblade/simulated.ts';

/** The committed pact. */
export const pact = readPact(PACT_FILE);

/** A simulated array that stops when the test ends. */
export const simulated = async (options?: SimulatorOptions): Promise<Simulator> =>
  (await simulatedArray(options)).simulator;

/** How an array is broken, in every state of the contract or only in one. */
export type Break = { readonly fault: RequestFault; readonly only?: State };

/**
 * Breaks the array after a state is arranged, until the next state. The login that arranges the state still works, so that only
 * the interaction with the broken response fails.
 */
export function broken(simulator: Simulator, { fault, only }: Break): Target {
  const target = simulatorTarget(simulator);
  const handlers = Object.entries(target.handlers).map(([state, arrange]) => {
    const breaking = async (parameters: ParametersOf<ListState>) => {
      const values = await arrange(parameters);
      if (only === undefined || only === state) simulator.faults.add(fault);
      return values;
    };
    return [state, breaking];
  });
  // This interaction has no state, and no state uses it.
  if (fault.path === '/api/api_version') simulator.faults.add(fault);
  const reset = async () => {
    if (fault.path !== '/api/api_version') await simulator.faults.clear();
    await target.reset();
  };
  return { ...target, handlers: Object.fromEntries(handlers), reset };
}

/** The descriptions of the failed interactions. */
export const failedOf = (verified: Pact, { interactions }: Verification): string[] =>
  verified.interactions.filter((_, index) => interactions[index]?.reasons.length !== 0).map((one) => one.description);

/** The committed pact with only the interactions of these states. */
export const pactOf = (...states: State[]): Pact => ({
  ...pact,
  interactions: pact.interactions.filter((interaction) =>
    statesOf(interaction).some((name) => states.includes(name as State)),
  ),
});
