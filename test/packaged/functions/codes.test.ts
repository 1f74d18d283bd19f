import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../../lib/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { PROVOCATIONS } from './provocations.ts';
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

/** What a message must name: an array, a lease, a field. `NAME` is both the array and the lease of the case. */
const NAMES: Readonly<Record<ErrorCode, string>> = {
  CONFIG_INVALID: 'SESSIONS_PER_ARRAY',
  REQUEST_INVALID: 'leaseSeconds',
  ARRAY_UNKNOWN: 'secret flashblade/no-NAME',
  SECRET_INVALID: 'secret flashblade/NAME: trust',
  SECRET_UNAVAILABLE: 'secret flashblade/NAME',
  ARRAY_UNREACHABLE: 'array NAME (127.0.0.1:1)',
  ARRAY_UNTRUSTED: 'array NAME',
  ARRAY_BUSY: 'array NAME',
  ARRAY_UNSUPPORTED: 'array NAME',
  LOGIN_REFUSED: 'array NAME',
  LOGIN_UNKNOWN: 'array NAME may have a session of lease NAME',
  ANSWER_INVALID: 'array NAME',
  FORBIDDEN: 'array NAME refused GET /api/2.15/admins',
  LEASE_OPENING: 'lease NAME',
  LEASE_CONFLICT: 'lease NAME',
  LEASE_UNKNOWN: 'lease NAME',
  LEASE_ENDED: 'lease NAME',
  LEASE_LIMIT: 'array NAME',
  LEASE_ALTERED: 'lease NAME on array NAME',
  AWS_UNAVAILABLE: 'data key from KMS',
  OUT_OF_TIME: 'open a session',
  INTERNAL: 'TypeError',
};

/** Words that name a next step. */
const ADVICE =
  /\b(must (be|have)|try again|request the session again|create it|correct the|check that|find out|put a valid|remove its|give|use another|open (a|another) session|close some|log out again|report it)\b/i;

test.each(Object.keys(ERROR_CODES) as ErrorCode[])(
  '%s is returned as the error name, and its message names the next step',
  async (code) => {
    const name = `array-of-${code}`;
    d.addArray(name);
    const failure = await PROVOCATIONS[code](d, name);
    expect(failure.name).toBe(code);
    expect(failure.message).toContain(NAMES[code].replaceAll('NAME', name));
    expect(failure.message).toMatch(ADVICE);
    expect(tokensIn(failure.message, d.tokens())).toEqual([]);
  },
);
