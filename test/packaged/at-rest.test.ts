/** What an attacker who reads or writes the table gets from the packaged functions. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../simulator/certificates.ts';
import { randomApiToken } from '../../simulator/index.ts';
import { type Deployment, deploy } from '../kit/deploy.ts';
import type { Outcome } from '../kit/lambda/lambda.ts';
import { errorOf, resultOf } from '../kit/lambda/outcome.ts';
import { tokensIn } from '../kit/leaks.ts';
import { type Listener, startListener } from '../proofs/hostile/listeners.ts';
import { metricLinesOf, metricsOf } from './functions/logs.ts';

let d: Deployment;
let trap: Listener;
/** Every DynamoDB call and every KMS request, as the service receives it. */
const written: string[] = [];
const askedOfKms: string[] = [];

beforeAll(async () => {
  const authority = await createAuthority();
  const certificate = { ...(await authority.issue()), ca: authority.certificate };
  [d, trap] = await Promise.all([
    deploy({ array: { certificate } }),
    startListener({ address: '127.0.0.1' }, certificate, () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  ]);
  d.aws.onCall((phase, { service, body }) => {
    if (phase === 'received') return;
    if (service === 'kms') askedOfKms.push(JSON.stringify(body));
    if (service === 'dynamodb') written.push(JSON.stringify(body));
  });
  d.addArray('fb1');
  d.addArray('refusing', { apiToken: randomApiToken() });
});

afterAll(async () => {
  await Promise.all([d.stop(), trap.stop()]);
});

/** Invokes until AWS responds in time: under load, a stand-in may be slower than the functions wait. */
async function patiently(invoke: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    const outcome = await invoke();
    if (!('error' in outcome) || !/^(AWS|SECRET)_UNAVAILABLE$|^OUT_OF_TIME$/.test(outcome.error.errorType))
      return outcome;
  }
}
const login = (event: object) => patiently(() => d.login(event));
const logout = (leaseId: string) => patiently(() => d.logout({ leaseId }));

test('an item that points to another host raises its metrics, and no byte reaches that host', async () => {
  resultOf(await login({ array: 'fb1', leaseId: 'aimed' }));
  const item = await d.lease('aimed');
  await d.tamper({ ...item, target: { ...item?.target, port: trap.port } as never });
  expect(errorOf(await logout('aimed')).errorType).toBe('LEASE_ALTERED');
  const metrics = metricLinesOf(d.lambdaOf('logout').output).flatMap(metricsOf).join();
  for (const name of ['LeaseAltered', 'LeaseStuck', 'LogoutFailed']) {
    expect(metrics).toMatch(new RegExp(`${name} 1 Count {service=[\\w-]+; service=[\\w-]+ array=fb1}`));
  }
  await trap.settled();
  expect(trap.drain()).toEqual({ connections: 0, text: '' });
});

test('neither the table, at any moment of any lease, nor the requests to KMS contain a token', async () => {
  resultOf(await login({ array: 'fb1', leaseId: 'whole', owner: 'job' }));
  resultOf(await logout('whole'));
  expect(errorOf(await login({ array: 'refusing', leaseId: 'refused' })).errorType).toBe('LOGIN_REFUSED');
  d.simulator.faults.add({ kind: 'reset', path: '/api/login', times: 1 });
  expect(errorOf(await login({ array: 'fb1', leaseId: 'lost' })).errorType).toBe('LOGIN_UNKNOWN');
  resultOf(await logout('never'));

  const all = [...written, JSON.stringify(await d.items())].join();
  for (const seen of ['OPENING', 'OPEN', 'CLOSING', 'CLOSED', 'STUCK']) {
    expect(all.includes(`"state":{"S":"${seen}"}`), seen).toBe(true);
  }
  for (const seen of ['suspect#', 'refusal#', 'array#']) expect(all.includes(`"id":{"S":"${seen}`), seen).toBe(true);
  expect(tokensIn(all, d.tokens())).toEqual([]);
  expect(askedOfKms.length).toBeGreaterThan(3);
  expect(tokensIn(askedOfKms.join(), d.tokens())).toEqual([]);
});

test('a write that contains a token would be found', async () => {
  await d.tamper({ id: 'lease#planted', sealed: `1.AAAA.${d.simulator.history[0]?.authToken}` });
  expect(tokensIn(written.join(), d.tokens())).toHaveLength(1);
});
