import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';

/** Variables that an engineer might set to find a fault. (Anyone who may set them may run any other code, too.) */
const VARIABLES = {
  NODE_DEBUG: 'http,https,tls,net',
  NODE_DEBUG_NATIVE: 'http,tls',
  NODE_OPTIONS: '--trace-warnings --trace-deprecation --trace-uncaught --pending-deprecation',
};
/** Lines that Node then writes. */
const WRITTEN_BY_NODE = [/HTTP \d+: outgoing message end/, /NET \d+: /, /NODE_DEBUG environment variable/];

let d: Deployment;

beforeAll(async () => {
  d = await deploy({ env: VARIABLES });
  d.addArray('fb1');
});

afterAll(() => d.stop());

test('debug output of Node about connections and warnings contains no token', async () => {
  resultOf(await d.login({ array: 'fb1', leaseId: 'job' }));
  resultOf(await d.logout({ leaseId: 'job' }));
  for (const said of WRITTEN_BY_NODE) expect(d.lambdaOf('login').output).toMatch(said);
  expect(await d.leaks()).toEqual([]);
});
