/** The simulated array in the demonstration. */
import { randomUUID } from 'node:crypto';
import { randomApiToken, type Simulator, type SimulatorOptions } from '../../simulator/index.ts';
import type { Deployment } from '../../test/kit/deploy.ts';
import type { DemoArray } from './array.ts';

export type SimulatedArray = DemoArray & {
  readonly simulator: Simulator;
  /** Calls `act` once, after the array has opened the next login's session and before the array responds. */
  onNextLogin(act: () => Promise<void>): void;
};

/** Returns options that make the tokens look like those of real arrays. */
export const likeReal = (): SimulatorOptions => ({
  users: [{ username: 'pureuser', apiToken: randomApiToken() }],
  newAuthToken: randomUUID,
});

export function simulatedArray(name: string, { simulator, watchArray }: Deployment): SimulatedArray {
  return {
    name,
    what: `a simulated FlashBlade at ${simulator.url}`,
    simulator,
    watch: async () => async () => {
      const live = simulator.sessions().length;
      return { live, report: live === 0 ? 'none' : `${live} still live` };
    },
    onNextLogin: (act) =>
      watchArray(async (phase, { path }) => {
        if (phase !== 'done' || path !== '/api/login') return;
        watchArray(undefined);
        await act();
      }),
  };
}
