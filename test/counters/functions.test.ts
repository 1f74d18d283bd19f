/** What one invocation of each packaged, warm function asks of AWS and of the array, and what of it waits for what: exact. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deployEverything, type Everything } from './deployment.ts';
import { OPERATION_NAMES, type OperationName, perform } from './operations.ts';
import { inRounds, type Rounds } from './rounds.ts';

const INTENT = ['GenerateDataKey', 'GetItem refusal', 'PutItem lease OPENING', 'UpdateItem array'];
const OPEN = [INTENT, ['POST /api/login'], ['PutItem lease OPEN']];
const LOG_OUT = [
  ['GetItem lease'],
  ['Decrypt', 'PutItem lease CLOSING'],
  ['POST /api/logout'],
  ['PutItem lease CLOSED', 'UpdateItem array'],
];
const HOLD = [['GetItem lease'], ['Decrypt']];

const ROUNDS: Readonly<Record<OperationName, Rounds>> = {
  login: OPEN,
  logout: LOG_OUT,
  'call-array': [...HOLD, ['GET /api/2.15/arrays']],
  renew: [
    ['GetItem lease'],
    ['GET /api/api_version'],
    ...HOLD,
    ['GET /api/2.26/arrays'],
    ['GetItem lease'],
    ['PutItem lease OPEN'],
  ],
  'session-events, a request': [INTENT, ['GetItem owner', 'POST /api/login'], ['PutItem lease OPEN'], ['PutEvents']],
  'session-events, a release': [...LOG_OUT, ['PutEvents']],
  'sweep-sessions, one lease': [['Query'], ...LOG_OUT],
  'check-fleet, one array': [
    ['Query'],
    ['GET /api/api_version'],
    ...OPEN,
    ...HOLD,
    ['GET /api/2.26/arrays'],
    ['GET /api/2.26/admins/api-tokens'],
    ['GET /api/2.26/sessions'],
    ...LOG_OUT,
  ],
};

let d: Everything;

beforeAll(async () => {
  d = await deployEverything();
});

afterAll(() => d.stop());

test.for(OPERATION_NAMES)('%s: these round trips and no other, on one resumed connection', async (name) => {
  const rounds = ROUNDS[name];
  const leaseId = name.replaceAll(/\W+/g, '-');
  await perform(d, name, `${leaseId}-cold`, (invoke) => inRounds(d, rounds, invoke));
  const { seen, ...counts } = await perform(d, name, `${leaseId}-warm`, (invoke) =>
    counted(() => inRounds(d, rounds, invoke)),
  );
  expect(seen).toEqual({ rounds, others: [] });
  expect(counts).toEqual({ connections: 1, fullHandshakes: 0, resumedHandshakes: 1, awsConnections: 0 });
});

/** Connections that are opened during `work`. */
async function counted<T>(work: () => Promise<T>) {
  const [before, awsBefore] = [d.simulator.counters, d.awsConnections()];
  const seen = await work();
  const after = d.simulator.counters;
  return {
    seen,
    connections: after.connections - before.connections,
    fullHandshakes: after.fullHandshakes - before.fullHandshakes,
    resumedHandshakes: after.resumedHandshakes - before.resumedHandshakes,
    awsConnections: d.awsConnections() - awsBefore,
  };
}
