import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, deploy, resultOf } from '../functions/deployment.ts';

// Whoever may set a function's variables can make it run other code. These ones somebody sets to look for a fault.
const VARIABLES: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['Node tells of its modules', { NODE_DEBUG: '*' }, /HTTP \d+: .*(outgoing message end|onFree)/],
  ['Node tells of its native parts', { NODE_DEBUG_NATIVE: 'http,tls,crypto,async_wrap' }, /"event":"LoginSucceeded"/],
  [
    'warnings tell whence they come',
    { NODE_OPTIONS: '--trace-warnings --trace-deprecation --trace-uncaught --pending-deprecation' },
    /"event":"LoginSucceeded"/,
  ],
];

describe.each(VARIABLES)('where %s', (_, env, shown) => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy({ env });
    d.addArray('fb1');
  });

  afterAll(() => d.stop());

  test('no token is told by a session that is opened and closed', async () => {
    resultOf(await d.login({ array: 'fb1', leaseId: 'job' }));
    resultOf(await d.logout({ leaseId: 'job' }));
    expect(d.functions.login.output).toMatch(shown);
    expect(await d.leaks()).toEqual([]);
  });
});
