/** Pacts from a Pact Broker, and the results that are published to it. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startLoopback } from '../../../contracts/verification/loopback.ts';
import { brokerAt, fetchPacts, publish } from '../../../scripts/contracts/broker.ts';
import { type BrokerOptions, startBroker } from './broker-stand-in.ts';
import { runPactVerifier } from './pact-verifier.ts';

const { signal } = new AbortController();
const TOKEN = 'broker-token';
const PACT = {
  consumer: { name: 'dashboard' },
  provider: { name: 'flashblade' },
  interactions: [
    { description: 'versions', request: { method: 'GET', path: '/api/api_version' }, response: { status: 200 } },
  ],
  metadata: { pactSpecification: { version: '3.0.0' } },
};
const RESULT = { success: true, version: '4.6.2', verifiedBy: '0.1.0' };

async function withBroker(options: BrokerOptions = {}, environment: Readonly<Record<string, string>> = {}) {
  const standIn = await startBroker({ pacts: [PACT], ...options });
  onTestFinished(standIn.stop);
  return { standIn, broker: brokerAt(standIn.url, environment) };
}

describe('a Pact Broker', () => {
  it.each([
    ['a token', `Bearer ${TOKEN}`, { PACT_BROKER_TOKEN: TOKEN }],
    ['a password', `Basic ${btoa('ci:pass')}`, { PACT_BROKER_USERNAME: 'ci', PACT_BROKER_PASSWORD: 'pass' }],
  ])('gives its pacts to a user with %s, and to nobody else', async (_, authorization, environment) => {
    const { standIn, broker } = await withBroker({ authorization }, environment);
    const pacts = await fetchPacts(broker, 'flashblade', signal);
    expect(pacts.map(({ name, text }) => [name, JSON.parse(text)])).toEqual([
      ['Pact 0', expect.objectContaining(PACT)],
    ]);
    await expect(fetchPacts(brokerAt(standIn.url, {}), 'flashblade', signal)).rejects.toThrow(
      'the Pact Broker responded to GET / with status 401: check the credentials',
    );
  });

  it('is asked for the pacts of main branches, and of versions that are deployed or released', async () => {
    const { standIn, broker } = await withBroker();
    await fetchPacts(broker, 'flashblade', signal);
    expect(standIn.received[1]).toEqual({
      call: 'POST /pacts/provider/flashblade/for-verification',
      body: {
        consumerVersionSelectors: [{ mainBranch: true }, { deployedOrReleased: true }],
        includePendingStatus: false,
      },
    });
  });

  it('receives the result for the content that was verified, and first the branch', async () => {
    const { standIn, broker } = await withBroker();
    const [pact] = await fetchPacts(broker, 'flashblade', signal);
    if (pact === undefined) throw new Error('no pact');
    const more = { branch: 'release/1', buildUrl: 'https://ci.example.com/7' };
    await publish(broker, 'flashblade', pact, { ...RESULT, ...more }, signal);
    expect(standIn.published()).toEqual([
      { call: 'PUT /pacticipants/flashblade/branches/release%2F1/versions/4.6.2', body: {} },
      {
        call: 'POST /pacts/provider/flashblade/pact-version/0/verification-results',
        body: {
          ...{ success: true, providerApplicationVersion: '4.6.2', buildUrl: 'https://ci.example.com/7' },
          verifiedBy: { implementation: 'flashblade-sessions', version: '0.1.0' },
        },
      },
    ]);
  });

  it('without a pact for the provider is an error, because nothing would be verified', async () => {
    const { broker } = await withBroker({ pacts: [] });
    await expect(fetchPacts(broker, 'flashblade', signal)).rejects.toThrow('has no pact for the provider flashblade');
  });

  it('never receives credentials through links or redirects to another host', async () => {
    const seen: unknown[] = [];
    const other = await startLoopback(async ({ headers }, _body, response) => {
      seen.push(headers.authorization);
      response.end('{}');
    });
    onTestFinished(other.stop);
    const environment = { PACT_BROKER_TOKEN: TOKEN };
    const { broker } = await withBroker({ linksTo: other.url }, environment);
    await expect(fetchPacts(broker, 'flashblade', signal)).rejects.toThrow('leads to another host');
    const redirecting = await startLoopback(async (_request, _body, response) => {
      response.writeHead(302, { Location: other.url }).end();
    });
    onTestFinished(redirecting.stop);
    await expect(fetchPacts(brokerAt(redirecting.url, environment), 'flashblade', signal)).rejects.toThrow(
      'did not respond to GET /: unexpected redirect',
    );
    expect(seen).toEqual([]);
  });

  it('that is something else is recognized', async () => {
    const other = await startLoopback(async (_request, _body, response) => void response.end('<html>'));
    onTestFinished(other.stop);
    await expect(fetchPacts(brokerAt(other.url, {}), 'flashblade', signal)).rejects.toThrow(
      'this is not a Pact Broker',
    );
  });
});

it.each([
  ['http://broker.example.com', {}, 'begin with https://'],
  ['broker.example.com', {}, 'begin with https://'],
  ['https://ci:pass@broker.example.com', {}, 'must not contain a password'],
  ['https://broker.example.com', { PACT_BROKER_USERNAME: 'ci' }, 'set both'],
  ['https://broker.example.com', { PACT_BROKER_TOKEN: 'x', PACT_BROKER_USERNAME: 'ci' }, 'not both'],
])('the broker %s with the variables %j is refused', (url, environment, why) => {
  expect(() => brokerAt(url, environment)).toThrow(why);
});

it("the stand-in for a Pact Broker works with Pact's own verifier, which fetches the pact and publishes the result", async () => {
  const standIn = await startBroker({ pacts: [PACT], authorization: `Bearer ${TOKEN}` });
  const provider = await startLoopback(async (_request, _body, response) => void response.end('{}'));
  onTestFinished(async () => void (await Promise.all([standIn.stop(), provider.stop()])));
  const exitCode = await runPactVerifier({
    ...{ providerBaseUrl: provider.url, pactBrokerUrl: standIn.url, pactBrokerToken: TOKEN },
    ...{ publishVerificationResult: true, providerVersion: '4.6.2', providerVersionBranch: 'main' },
    consumerVersionSelectors: [{ mainBranch: true }],
  });
  expect(exitCode).toBe(0);
  expect(standIn.published()).toMatchObject([
    { call: 'PUT /pacticipants/flashblade/branches/main/versions/4.6.2' },
    { body: { success: true, providerApplicationVersion: '4.6.2' } },
  ]);
});
