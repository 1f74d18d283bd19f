/** Simulated arrays, all by one clock. */
import { type OnRequest, type Simulator, startSimulator } from '../../simulator/index.ts';
import type { DemoArray } from './array.ts';
import type { Clock } from './clock.ts';

export type SimulatedArray = DemoArray & {
  readonly simulator: Simulator;
  /** `act` is called once, when the array has made the session of a login and before it answers. */
  onNextLogin(act: () => Promise<void>): void;
};
export type SimulatedFleet = ReturnType<typeof simulatedFleet>;

const LOGIN = '/api/login';

/** No array at first; each one that is added ends with `stack`. */
export function simulatedFleet(clock: Clock, stack: AsyncDisposableStack) {
  const simulators: Simulator[] = [];

  async function add(name: string): Promise<SimulatedArray> {
    let act: (() => Promise<void>) | undefined;
    const onRequest: OnRequest = async (phase, { path }) => {
      if (phase !== 'done' || path !== LOGIN) return;
      const due = act;
      act = undefined;
      await due?.();
    };
    const options = { name, now: clock.now, onRequest };
    const simulator = stack.adopt(await startSimulator(options), ({ stop }) => stop());
    simulators.push(simulator);
    return {
      ...demoArray(name, simulator),
      simulator,
      onNextLogin: (next) => {
        act = next;
      },
    };
  }

  return {
    add,
    /** Live sessions on all arrays. */
    sessions: () => simulators.flatMap(({ sessions }) => sessions()),
    /** Requests that all arrays have received so far. */
    requests: (): number => simulators.reduce((sum, { requests }) => sum + requests.length, 0),
  };
}

const demoArray = (name: string, simulator: Simulator): DemoArray => ({
  name,
  what: `a simulated FlashBlade at ${simulator.url}`,
  secret: JSON.stringify({
    host: `${simulator.host}:${simulator.port}`,
    apiToken: simulator.apiToken,
    trust: { ca: simulator.certificate },
  }),
  watch: async () => async () => {
    const live = simulator.sessions().length;
    return { live, told: live === 0 ? 'none' : `${live} still live` };
  },
});
