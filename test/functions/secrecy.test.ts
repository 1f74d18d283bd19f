import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, deploy, resultOf } from './deployment.ts';
import { tokensIn } from './secrecy.ts';

const TOKEN = 'T-0f1e2d3c-aaaa-bbbb-cccc-0123456789ab';

let d: Deployment;

beforeAll(async () => {
  d = await deploy();
  d.addArray('fb1');
});

afterAll(() => d.stop());

const DISGUISES: Readonly<Record<string, string>> = {
  raw: `{"token":"${TOKEN}"}`,
  'in upper case': TOKEN.toUpperCase(),
  'in hex': Buffer.from(`x${TOKEN}y`).toString('hex'),
  'in base64': Buffer.from(TOKEN).toString('base64'),
  'in base64 behind one byte': Buffer.from(`x${TOKEN}yz`).toString('base64'),
  'in base64 behind two bytes': Buffer.from(`xx${TOKEN}`).toString('base64'),
  'in base64url behind three bytes': Buffer.from(`???${TOKEN}y`).toString('base64url'),
};

test.each(Object.entries(DISGUISES))('a token that was written down %s is found', (_, text) => {
  expect(tokensIn(`before ${text} after`, [TOKEN])).toEqual([TOKEN]);
  expect(tokensIn(`before ${text} after`, [TOKEN.replace('0f1e', '1f1e')])).toEqual([]);
});

test('an auth token that lies open in the ledger is found', async () => {
  resultOf(await d.login({ array: 'fb1', leaseId: 'open' }));
  expect(await d.leaks()).toEqual([]);
  const [session] = d.simulator.sessions();
  await d.tamper({ id: 'planted', sealed: Buffer.from(session?.authToken ?? '').toString('base64url') });
  expect(await d.leaks()).toEqual(['the ledger']);
});

test('an API token in an error is found', async () => {
  await d.login({ array: d.simulator.apiToken });
  expect(await d.leaks()).toContain('results and errors');
});
