import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../lib/index.ts';
import { type Deployment, deploy } from './deployment.ts';
import { PROVOCATIONS } from './provocations.ts';
import { tokensIn } from './secrecy.ts';
import { unknownSessions } from './unknown-sessions.ts';

let d: Deployment;

beforeAll(async () => {
  d = await deploy({ env: { SESSIONS_PER_ARRAY: '1' } });
  for (const [name, value] of Object.entries(d.env)) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  expect(await d.leaks()).toEqual([]);
  expect(await unknownSessions(d)).toEqual([]);
  await d.stop();
});

/** What a message must name (an array, a lease, a field: `NAME` is both array and lease of the case) and what it must advise. */
const MESSAGES: Readonly<Record<ErrorCode, { readonly names: string; readonly advises: string }>> = {
  CONFIG_INVALID: { names: 'SESSIONS_PER_ARRAY', advises: 'must be a whole number from 1 to 1000' },
  REQUEST_INVALID: { names: 'leaseSeconds', advises: 'must be a whole number from 60 to 86400' },
  ARRAY_UNKNOWN: { names: 'secret flashblade/no-NAME', advises: "create it, or correct the array's name" },
  SECRET_INVALID: { names: 'secret flashblade/NAME: trust', advises: 'must have either ca or fingerprints' },
  SECRET_UNAVAILABLE: { names: 'secret flashblade/NAME', advises: 'try again' },
  ARRAY_UNREACHABLE: { names: 'array NAME (127.0.0.1:1)', advises: 'check that the management service is up' },
  ARRAY_UNTRUSTED: { names: 'array NAME', advises: 'change "trust" in its secret; if not, find out who answers there' },
  ARRAY_BUSY: { names: 'array NAME', advises: 'Try again later' },
  ARRAY_UNSUPPORTED: { names: 'array NAME', advises: 'Remove its secret' },
  LOGIN_REFUSED: { names: 'array NAME', advises: 'Put a valid one into its secret' },
  LOGIN_UNKNOWN: { names: 'array NAME may hold a session of lease NAME', advises: 'try again' },
  ANSWER_INVALID: { names: 'array NAME', advises: 'that is a bug to be fixed' },
  FORBIDDEN: { names: 'array NAME refused GET /api/2.15/admins', advises: 'give that user' },
  LEASE_OPENING: { names: 'lease NAME', advises: 'try again' },
  LEASE_CONFLICT: { names: 'lease NAME', advises: 'use another lease id' },
  LEASE_UNKNOWN: { names: 'lease NAME', advises: 'open a session first' },
  LEASE_ENDED: { names: 'lease NAME', advises: 'use another lease id' },
  LEASE_LIMIT: { names: 'array NAME', advises: 'close some, or wait' },
  LEASE_ALTERED: { names: 'lease NAME on array NAME', advises: 'find out' },
  AWS_UNAVAILABLE: { names: 'data key from KMS', advises: 'try again' },
  OUT_OF_TIME: { names: 'open a session', advises: 'give the function more time' },
  INTERNAL: { names: 'TypeError', advises: 'please report it' },
};

test.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s is thrown under its name and says what to do', async (code) => {
  const name = `array-of-${code}`;
  d.addArray(name);
  const failure = await PROVOCATIONS[code](d, name);
  const { names, advises } = MESSAGES[code];
  expect(failure.name).toBe(code);
  expect(failure.message).toContain(names.replaceAll('NAME', name));
  expect(failure.message).toContain(advises);
  const tokens = [d.simulator.apiToken, ...d.simulator.history.map(({ authToken }) => authToken)];
  expect(tokensIn(failure.message, tokens)).toEqual([]);
});
