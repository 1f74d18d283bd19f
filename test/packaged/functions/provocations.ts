/** Provokes every error code: in the packaged functions if possible, otherwise in the library. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { apiVersions, createPorts, type ErrorCode, readConfig, withLease } from '../../../lib/index.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { badAnswers, randomApiToken } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { killDuring } from './kill.ts';

/** What a caller sees: the name that `Catch` matches, and the message. */
export type Failure = { readonly name: string; readonly message: string };

/**
 * `d` allows one lease per array, and its array responds correctly. `name` is an array of the fleet and also a lease id; only this case
 * uses it.
 */
type Provoke = (d: Deployment, name: string) => Promise<Failure>;

const failureOf = (outcome: Outcome): Failure => {
  const { errorType, errorMessage } = errorOf(outcome);
  return { name: errorType, message: errorMessage };
};

const login =
  (...prepare: ((d: Deployment, name: string) => unknown)[]): Provoke =>
  async (d, name) => {
    for (const step of prepare) await step(d, name);
    return failureOf(await d.login({ array: name, leaseId: name }));
  };
const opened = async (d: Deployment, name: string) => resultOf(await d.login({ array: name, leaseId: name }));
const closed = async (d: Deployment, name: string) => resultOf(await d.logout({ leaseId: name }));
const secret = (fields: object) => (d: Deployment, name: string) => d.addArray(name, fields);
const answer = (fault: Parameters<Deployment['simulator']['faults']['add']>[0]) => (d: Deployment) =>
  d.simulator.faults.add({ ...fault, times: 1 });

const logoutOfTampered =
  (change: object): Provoke =>
  async (d, name) => {
    await opened(d, name);
    await d.tamper({ ...(await d.lease(name)), ...change });
    return failureOf(await d.logout({ leaseId: name }));
  };

const rejection = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => {
      throw new Error('It succeeded');
    },
    (error: Failure) => error,
  );

const libraryPorts = (d: Deployment) => createPorts(readConfig(d.env), () => {});

export const PROVOCATIONS: Readonly<Record<ErrorCode, Provoke>> = {
  CONFIG_INVALID: async () => {
    const broken = await deploy({ functions: ['login'], env: { SESSIONS_PER_ARRAY: '0' } });
    try {
      return failureOf(await broken.login({ array: 'fb1' }));
    } finally {
      await broken.stop();
    }
  },
  REQUEST_INVALID: async (d, name) => failureOf(await d.login({ array: name, leaseSeconds: 5 })),
  ARRAY_UNKNOWN: async (d, name) => failureOf(await d.login({ array: `no-${name}` })),
  SECRET_INVALID: login(secret({ trust: {} })),
  SECRET_UNAVAILABLE: login((d, name) =>
    d.aws.faults.add({ kind: 'throttle', service: 'secretsmanager', resource: `flashblade/${name}` }),
  ),
  ARRAY_UNREACHABLE: login(secret({ host: '127.0.0.1:1' })),
  ARRAY_UNTRUSTED: login(secret({ trust: { fingerprints: ['0'.repeat(64)] } })),
  ARRAY_BUSY: login(answer(badAnswers.htmlAnswer(503))),
  ARRAY_UNSUPPORTED: async (_, name) => {
    const authority = await createAuthority();
    const { certificate: cert, key } = await authority.issue();
    const server = createServer({ cert, key }, (_request, response) => response.end('{"version":["1.0","2.26"]}'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const trust = { kind: 'ca', ca: authority.certificate } as const;
    const failure = await rejection(apiVersions({ name, host: '127.0.0.1', port, trust }));
    server.closeAllConnections();
    await new Promise((closedDown) => server.close(closedDown));
    return failure;
  },
  LOGIN_REFUSED: login(secret({ apiToken: randomApiToken() })),
  LOGIN_UNKNOWN: login(answer({ kind: 'reset' })),
  ANSWER_INVALID: async (d, name) => {
    await opened(d, name);
    answer({ kind: 'answer', act: false, status: 404 })(d);
    return failureOf(await d.logout({ leaseId: name }));
  },
  FORBIDDEN: async (d, name) => {
    await opened(d, name);
    const fault = d.simulator.faults.add({ kind: 'answer', status: 403, path: '/api/2.15/admins' });
    const request = { method: 'GET', path: '/api/2.15/admins' } as const;
    const failure = await rejection(withLease(name, (use) => use.request(request), { ports: libraryPorts(d) }));
    await fault.remove();
    return failure;
  },
  LEASE_OPENING: async (d, name) => {
    const kill = { lambda: d.lambdaOf('login'), at: { name: '/api/login', nth: 0 }, phase: 'received' } as const;
    await killDuring(d, name, kill, () => d.login({ array: name, leaseId: name }));
    return failureOf(await d.login({ array: name, leaseId: name }));
  },
  LEASE_CONFLICT: async (d, name) => {
    d.addArray('another');
    await opened(d, name);
    return failureOf(await d.login({ array: 'another', leaseId: name }));
  },
  LEASE_UNKNOWN: async (d, name) => rejection(withLease(name, () => undefined, { ports: libraryPorts(d) })),
  LEASE_ENDED: login(opened, closed),
  LEASE_LIMIT: async (d, name) => {
    await opened(d, name);
    return failureOf(await d.login({ array: name, leaseId: `${name}-2` }));
  },
  LEASE_ALTERED: async (d, name) => {
    await opened(d, name);
    const { host, port } = (await d.lease(name))?.target ?? {};
    return logoutOfTampered({ target: { name, host, port, trust: { kind: 'public' } } })(d, name);
  },
  AWS_UNAVAILABLE: login((d) => d.aws.faults.add({ kind: 'deny', service: 'kms', times: 1 })),
  OUT_OF_TIME: async (d, name) => failureOf(await d.login({ array: name }, { timeoutMs: 5000 })),
  // An item that no version of this product writes.
  INTERNAL: logoutOfTampered({ target: 'fb1' }),
};
