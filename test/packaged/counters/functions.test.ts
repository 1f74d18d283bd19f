/** The exact round trips of one warm invocation of each packaged function, to AWS and to the array, in order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { counted } from './counted.ts';
import { deployEverything, type Everything } from './deployment.ts';
import { OPERATION_NAMES, type OperationName, perform } from './operations.ts';
import { inRounds, type Rounds } from './rounds.ts';
import { CLOSE, HOLD, INTENT, OPEN } from './steps.ts';

const ROUNDS: Readonly<Record<OperationName, Rounds>> = {
  login: OPEN,
  logout: CLOSE,
  'call-array': [...HOLD, ['GET /api/2.15/arrays']],
  renew: [
    ['GetItem lease'],
    ...HOLD,
    ['GET /api/api_version'],
    ['GET /api/2.26/arrays'],
    ['GetItem lease'],
    ['PutItem lease OPEN'],
  ],
  'session-events, a request': [INTENT, ['GetItem owner', 'POST /api/login'], ['PutItem lease OPEN'], ['PutEvents']],
  'session-events, a release': [...CLOSE, ['PutEvents']],
  'sweep-sessions, one lease': [['Query'], ...CLOSE],
  'check-fleet, one array': [
    ['Query'],
    ['GET /api/api_version'],
    ...OPEN,
    ...HOLD,
    ['GET /api/2.26/arrays'],
    ['GET /api/2.26/admins/api-tokens'],
    ['GET /api/2.26/sessions'],
    ...CLOSE,
  ],
};

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
