/** Provokes every error code: in the packaged functions if possible, otherwise in the library. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { apiVersions, createFleet, ERROR_CODES, type ErrorCode, type FleetSession } from '../../../lib/index.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import type { RequestFault } from '../../../simulator/faults.ts';
import { badAnswers, randomApiToken } from '../../../simulator/index.ts';
import type { Fault } from '../../kit/aws/index.ts';
import { type Deployment, deploy, type Item } from '../../kit/deploy.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { messageOf } from '../../kit/memory/messages.ts';
import { killDuring } from './steps.ts';
import { unknownSessions } from './unknown-sessions.ts';

let d: Deployment;

beforeAll(async () => {
  d = await deploy({ functions: ['login', 'logout', 'session-events'], env: { SESSIONS_PER_ARRAY: '1' } });
  for (const [name, value] of Object.entries(d.env)) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  expect(await d.leaks()).toEqual([]);
  expect(await unknownSessions(d)).toEqual([]);
  await d.stop();
});

const login = async (name: string, request: object = {}) =>
  resultOf(await d.login({ array: name, leaseId: name, ...request }));
const logout = async (name: string) => resultOf(await d.logout({ leaseId: name }));
const arrayFault = (fault: RequestFault) => d.simulator.faults.add({ ...fault, times: 1 });
const loginWithSecret = (fields: object) => (name: string) => {
  d.addArray(name, fields);
  return login(name);
};
const loginWithFault = (fault: RequestFault) => (name: string) => {
  arrayFault(fault);
  return login(name);
};
const loginWithAwsFault = (fault: (name: string) => Fault) => (name: string) => {
  d.aws.faults.add(fault(name));
  return login(name);
};
const logoutOfTampered = async (name: string, target: (before: Item['target']) => unknown) => {
  await login(name);
  const item = await d.lease(name);
  await d.tamper({ ...item, target: target(item?.target) as Item['target'] & {} });
  return logout(name);
};
const inLibrary = (name: string, work: (fb: FleetSession) => unknown) =>
  createFleet({ onEvent: () => {} }).withLease(name, work);

/**
 * `names`: what the message must name: an array, a lease, a field. `NAME` is an array of the fleet and also a lease id; only this case
 * uses it. `provoke` fails. The deployment allows one lease per array, and its array responds correctly.
 */
type Case = { readonly names: string; readonly provoke: (name: string) => Promise<unknown> };

const CASES: Readonly<Record<ErrorCode, Case>> = {
  CONFIG_INVALID: {
    names: 'SESSIONS_PER_ARRAY',
    provoke: async () => {
      const broken = await deploy({ functions: ['login'], env: { SESSIONS_PER_ARRAY: '0' } });
      onTestFinished(broken.stop);
      return resultOf(await broken.login({ array: 'fb1' }));
    },
  },
  REQUEST_INVALID: { names: 'leaseSeconds', provoke: (name) => login(name, { leaseSeconds: 5 }) },
  REQUEST_EXPIRED: {
    names: '3600 seconds',
    provoke: async (name) => {
      const time = '2026-01-01T00:00:00Z';
      expect(await d.deliver([messageOf('Session Requested', { array: name }, 'event-1', 'jobs', { time })])).toEqual(
        [],
      );
      const { detail } = d.aws.events.sent.at(-1) ?? {};
      const { code, reason } = detail as { code: string; reason: string };
      throw Object.assign(new Error(reason), { name: code });
    },
  },
  ARRAY_UNKNOWN: { names: 'secret flashblade/no-NAME', provoke: (name) => login(name, { array: `no-${name}` }) },
  SECRET_INVALID: { names: 'secret flashblade/NAME: trust', provoke: loginWithSecret({ trust: {} }) },
  SECRET_UNAVAILABLE: {
    names: 'secret flashblade/NAME',
    provoke: loginWithAwsFault((name) => ({
      ...{ kind: 'throttle', service: 'secretsmanager', resource: `flashblade/${name}` },
    })),
  },
  ARRAY_UNREACHABLE: { names: 'array NAME (127.0.0.1:1)', provoke: loginWithSecret({ host: '127.0.0.1:1' }) },
  ARRAY_UNTRUSTED: { names: 'array NAME', provoke: loginWithSecret({ trust: { fingerprints: ['0'.repeat(64)] } }) },
  ARRAY_BUSY: { names: 'array NAME', provoke: loginWithFault(badAnswers.htmlAnswer(503)) },
  ARRAY_UNSUPPORTED: {
    names: 'array NAME',
    provoke: async (name) => {
      const authority = await createAuthority();
      const { certificate: cert, key } = await authority.issue();
      const server = createServer({ cert, key }, (_request, response) => response.end('{"version":["1.0","2.26"]}'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => {
        server.close();
        server.closeAllConnections();
      });
      const { port } = server.address() as AddressInfo;
      return apiVersions({ name, host: '127.0.0.1', port, trust: { kind: 'ca', ca: authority.certificate } });
    },
  },
  LOGIN_REFUSED: { names: 'array NAME', provoke: loginWithSecret({ apiToken: randomApiToken() }) },
  LOGIN_UNKNOWN: {
    names: 'array NAME may have a session for lease NAME',
    provoke: loginWithFault({ kind: 'reset' }),
  },
  ANSWER_INVALID: {
    names: 'array NAME',
    provoke: async (name) => {
      await login(name);
      arrayFault({ kind: 'answer', act: false, status: 404 });
      return logout(name);
    },
  },
  FORBIDDEN: {
    names: 'array NAME refused GET /api/2.15/admins',
    provoke: async (name) => {
      await login(name);
      const fault = d.simulator.faults.add({ kind: 'answer', status: 403, path: '/api/2.15/admins' });
      onTestFinished(async () => void (await fault.remove()));
      return inLibrary(name, (use) => use.request({ method: 'GET', path: '/api/2.15/admins' }));
    },
  },
  CALL_REFUSED: {
    names: 'array NAME returned 400 for GET /api/2.15/buckets',
    provoke: async (name) => {
      await login(name);
      const fault = d.simulator.faults.add({ kind: 'answer', status: 400, path: '/api/2.15/buckets' });
      onTestFinished(async () => void (await fault.remove()));
      return inLibrary(name, (fb) => fb.get('/api/2.15/buckets'));
    },
  },
  LEASE_OPENING: {
    names: 'lease NAME',
    provoke: async (name) => {
      const kill = { lambda: d.lambdaOf('login'), at: { name: 'POST /api/login', nth: 0 }, phase: 'received' } as const;
      await killDuring(d, name, kill, () => d.login({ array: name, leaseId: name }));
      return login(name);
    },
  },
  LEASE_CONFLICT: {
    names: 'lease NAME',
    provoke: async (name) => {
      d.addArray('another');
      await login(name);
      return login(name, { array: 'another' });
    },
  },
  LEASE_UNKNOWN: { names: 'lease NAME', provoke: (name) => inLibrary(name, () => undefined) },
  LEASE_ENDED: {
    names: 'lease NAME',
    provoke: async (name) => {
      await login(name);
      await logout(name);
      return login(name);
    },
  },
  LEASE_LIMIT: {
    names: 'array NAME',
    provoke: async (name) => {
      await login(name);
      return login(name, { leaseId: `${name}-2` });
    },
  },
  LEASE_ALTERED: {
    names: 'lease NAME on array NAME',
    provoke: (name) => logoutOfTampered(name, (before) => ({ ...before, trust: { kind: 'public' } })),
  },
  AWS_UNAVAILABLE: {
    names: 'data key from KMS',
    provoke: loginWithAwsFault(() => ({ kind: 'deny', service: 'kms', times: 1 })),
  },
  OUT_OF_TIME: {
    names: 'open a session',
    provoke: async (name) => resultOf(await d.login({ array: name }, { timeoutMs: 5000 })),
  },
  // An item that no version of this product writes.
  INTERNAL: { names: 'TypeError', provoke: (name) => logoutOfTampered(name, () => 'fb1') },
};

/** Words that name a next step. */
const ADVICE =
  /\b(must (be|have)|try again|request the session again|create it|correct the|check that|find out|put a valid|remove its|give|use (another|a different)|open (a|another) session|close some|log out again|report it)\b/i;

test.each(Object.keys(ERROR_CODES) as ErrorCode[])(
  '%s is returned as the error name, and its message names the next step',
  async (code) => {
    const name = `array-of-${code}`;
    d.addArray(name);
    const { names, provoke } = CASES[code];
    const failure = await provoke(name).then(
      () => expect.unreachable('it succeeded'),
      (error: Error) => error,
    );
    expect(failure.name).toBe(code);
    expect(failure.message).toContain(names.replaceAll('NAME', name));
    expect(failure.message).toMatch(ADVICE);
    expect(tokensIn(failure.message, d.tokens())).toEqual([]);
  },
);
