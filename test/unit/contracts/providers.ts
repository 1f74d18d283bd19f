/** Providers for the tests of the contract's machinery: simulated arrays, good or broken in one way. */
import { onTestFinished } from 'vitest';
import { PACT_FILE, type Pact, readPact, statesOf } from '../../../contracts/pact-file.ts';
import type { State } from '../../../contracts/states.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import type { Target } from '../../../contracts/targets/target.ts';
import type { Verification } from '../../../contracts/verification/verify.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import type { RequestFault } from '../../../simulator/faults.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';

const authority = await createAuthority();
const presented = { ...(await authority.issue()), ca: authority.certificate };

/** The committed pact. */
export const pact = readPact(PACT_FILE);

/** A simulated array that ends with the test. */
export async function simulated(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ certificate: presented, ...options });
  onTestFinished(() => simulator.stop());
  return simulator;
}

/** How an array is broken: in every state that the contract brings it into, or in one. */
export type Break = { readonly fault: RequestFault; readonly only?: State };

/**
 * Breaks the array from the moment that a state is arranged until the next one is: the login that arranges the state is
 * good, so that exactly the interaction fails that is about the broken answer.
 */
export function broken(simulator: Simulator, { fault, only }: Break): Target {
  const target = simulatorTarget(simulator);
  const handlers = Object.entries(target.handlers).map(([state, arrange]) => {
    const breaking = async (parameters: { username: string }) => {
      const values = await arrange(parameters);
      if (only === undefined || only === state) simulator.faults.add(fault);
      return values;
    };
    return [state, breaking];
  });
  // No state comes before this one, and no state needs it.
  if (fault.path === '/api/api_version') simulator.faults.add(fault);
  const reset = async () => {
    if (fault.path !== '/api/api_version') await simulator.faults.clear();
    await target.reset();
  };
  return { ...target, handlers: Object.fromEntries(handlers), reset };
}

/** Descriptions of the interactions that failed. */
export const failedOf = (verified: Pact, { interactions }: Verification): string[] =>
  verified.interactions.filter((_, index) => interactions[index]?.reasons.length !== 0).map((one) => one.description);

/** The committed pact with only the interactions of a state. */
export const pactOf = (...states: State[]): Pact => ({
  ...pact,
  interactions: pact.interactions.filter((interaction) =>
    statesOf(interaction).some((name) => states.includes(name as State)),
  ),
});
