/** Hostile secrets, responses and paths against the real client, over the wire. Nothing may reach any listener except the array's own. */
import fc from 'fast-check';
import { answers, hosts, paths } from './aims.ts';
import { failuresOf } from './inputs.ts';
import { callAll, callHost, startWorld, type World } from './world.ts';

export type WireSummary = Awaited<ReturnType<typeof tryWire>>;

type Aim = {
  readonly trap: 'trusted' | 'stranger';
  readonly inputs: (port: number) => fc.Arbitrary<string>;
  readonly call: (world: World, input: string) => Promise<void>;
};

const GOOD = 'HTTP/1.1 200 OK\r\nx-auth-token: a-token\r\nContent-Length: 23\r\n\r\n{"username":"pureuser"}';

const AIMS: Readonly<Record<string, Aim>> = {
  host: { trap: 'stranger', inputs: hosts, call: callHost },
  answer: {
    trap: 'trusted',
    inputs: answers,
    call: async ({ array, answerWith }, text) => {
      answerWith(text);
      await callAll(array);
      answerWith(GOOD);
      await callAll(array);
    },
  },
  path: { trap: 'trusted', inputs: paths, call: ({ array }, path) => callAll(array, path) },
};

/**
 * Tries `count` inputs of each kind and stops at the first that reaches another listener. `endOnFailure`: do not search for a
 * smaller input.
 */
export async function tryWire(seed: number, count: number, endOnFailure = false) {
  const wrong: string[] = [];
  /** Per kind of input, how many requests the array itself received. */
  const heard: Record<string, number> = {};
  let inputs = 0;
  for (const [name, { trap, inputs: generate, call }] of Object.entries(AIMS)) {
    const world = await startWorld(trap);
    world.answerWith(GOOD);
    try {
      const property = fc.asyncProperty(generate(world.array.port), async (input) => {
        await call(world, input);
        const { requests, what } = await world.verdict();
        heard[name] = (heard[name] ?? 0) + requests;
        if (what !== undefined) throw new Error(what);
      });
      const run = await fc.check(property, { seed, numRuns: count, endOnFailure });
      inputs += run.numRuns;
      wrong.push(...failuresOf(name, run));
    } finally {
      await world.stop();
    }
  }
  return { inputs, heard, wrong };
}
