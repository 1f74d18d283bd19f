/** The exact round trips of one warm invocation of each packaged function, to AWS and to the array, in order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { FUNCTIONS } from '../../kit/packaged.ts';
import { ARRAY, COUNTED_NAMES, inRounds, perform, ROUNDS } from './rounds.ts';

let d: Deployment;

beforeAll(async () => {
  d = await deploy({ functions: FUNCTIONS });
  d.addArray(ARRAY);
});

afterAll(() => d.stop());

/** Connections to the array, and all connections to AWS, until now. */
const counted = () => {
  const { connections, fullHandshakes, resumedHandshakes } = d.simulator.counters;
  return { connections, fullHandshakes, resumedHandshakes, awsConnections: d.aws.connections() };
};

test.for(COUNTED_NAMES)('%s makes exactly the expected round trips, on one resumed connection', async (name) => {
  const rounds = ROUNDS[name];
  const leaseId = name.replaceAll(/\W+/g, '-');
  await perform(d, name, `${leaseId}-cold`, (invoke) => inRounds(d, rounds, invoke));
  const { seen, before, after } = await perform(d, name, `${leaseId}-warm`, async (invoke) => {
    const before = counted();
    return { seen: await inRounds(d, rounds, invoke), before, after: counted() };
  });
  expect(seen).toEqual({ rounds, others: [] });
  const { connections, resumedHandshakes } = before;
  expect(after).toEqual({ ...before, connections: connections + 1, resumedHandshakes: resumedHandshakes + 1 });
});
