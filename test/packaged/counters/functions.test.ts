/** The exact round trips of one warm invocation of each packaged function, to AWS and to the array, in order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { counted } from './counted.ts';
import { deployEverything, type Everything } from './deployment.ts';
import { OPERATION_NAMES, perform } from './operations.ts';
import { inRounds } from './rounds.ts';
import { ROUNDS } from './steps.ts';

let d: Everything;

beforeAll(async () => {
  d = await deployEverything();
});

afterAll(() => d.stop());

test.for(OPERATION_NAMES)('%s makes exactly the expected round trips, on one resumed connection', async (name) => {
  const rounds = ROUNDS[name];
  const leaseId = name.replaceAll(/\W+/g, '-');
  await perform(d, name, `${leaseId}-cold`, (invoke) => inRounds(d, rounds, invoke));
  const { result: seen, counts } = await perform(d, name, `${leaseId}-warm`, (invoke) =>
    counted(d, () => inRounds(d, rounds, invoke)),
  );
  expect(seen).toEqual({ rounds, others: [] });
  expect(counts).toEqual({ connections: 1, fullHandshakes: 0, resumedHandshakes: 1, awsConnections: 0 });
});
