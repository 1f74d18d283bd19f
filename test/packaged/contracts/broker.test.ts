/** `npm run contracts:array -- --broker`, against a simulated array and the stand-in for a Pact Broker. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { PACT_FILE } from '../../../contracts/pact-file.ts';
import { startBroker } from '../../unit/contracts/broker-stand-in.ts';
import { arrayAndEnvironment, run } from './run.ts';

const TOKEN = 'broker-token-1';
const OWN = JSON.parse(readFileSync(PACT_FILE, 'utf8'));
/** A pact that no array fulfills. */
const IMPOSSIBLE = {
  consumer: { name: 'dashboard' },
  provider: { name: 'flashblade' },
  interactions: [
    {
      type: 'Synchronous/HTTP',
      description: 'x',
      request: { method: 'GET', path: '/api/api_version' },
      response: { status: 204 },
    },
  ],
  metadata: { pactSpecification: { version: '4.0' } },
};

async function verified(pacts: readonly object[], more: readonly string[] = [], changed: object = {}) {
  const broker = await startBroker({ pacts, authorization: `Bearer ${TOKEN}` });
  onTestFinished(broker.stop);
  const { simulator, env } = await arrayAndEnvironment();
  const args = ['--array', '--broker', broker.url, ...more];
  const outcome = await run(args, { ...env, PACT_BROKER_TOKEN: TOKEN, ...changed }).ended;
  expect(outcome.all).not.toContain(TOKEN);
  expect(simulator.sessions()).toEqual([]);
  return { ...outcome, published: broker.published() };
}

it('every pact in the broker is verified, and its result is published for the Purity version', async () => {
  const { code, stdout, published, report } = await verified([OWN, IMPOSSIBLE], ['--branch', 'main']);
  expect(code).toBe(1);
  const results = published.filter(({ call }) => call.startsWith('POST'));
  const version = expect.stringMatching(/^\d+\.\d+\.\d+$/);
  expect(results).toMatchObject([
    { call: expect.stringContaining('/0/'), body: { success: true, providerApplicationVersion: version } },
    { call: expect.stringContaining('/1/'), body: { success: false, providerApplicationVersion: version } },
  ]);
  expect(published.filter(({ call }) => call.startsWith('PUT'))).toHaveLength(2);
  expect(stdout).toMatch(/published: the result for Pact 0 and Purity \d/);
  expect(report).toContain('dashboard → flashblade');
});

it('a result is published only for a pact that was verified', async () => {
  const { code, stdout, published } = await verified([OWN], [], { FLASHBLADE_HOST: '127.0.0.1:1' });
  expect(published).toEqual([]);
  expect(stdout).toContain('not published: Pact 0, because it was not verified');
  expect(code).toBe(3);
});

it('the run fails if the broker refuses the credentials', async () => {
  const { code, stdout } = await verified([OWN], [], { PACT_BROKER_TOKEN: 'another' });
  expect(code).toBe(1);
  expect(stdout).toContain('the Pact Broker responded to GET / with status 401: check the credentials');
});

it.each([
  [['--broker', 'https://broker.example.com'], '--broker applies only to a real array'],
  [
    ['--array', '--broker', 'https://broker.example.com', '--pact', 'x.json'],
    '--broker cannot be combined with --pact',
  ],
  [['--array', '--branch', 'main'], '--branch and --build-url apply only with --broker'],
  [['--array', '--broker', 'http://broker.example.com'], '--broker must be the URL of a Pact Broker'],
])('the arguments %j are refused', async (args, why) => {
  const { env } = await arrayAndEnvironment();
  const { code, stderr } = await run(args, env).ended;
  expect({ code, why: stderr.includes(why) }).toEqual({ code: 2, why: true });
});
