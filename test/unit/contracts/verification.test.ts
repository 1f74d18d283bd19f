/** A verification must fail if it cannot check something, and its error must name the next step. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Interaction, Pact } from '../../../contracts/pact-file.ts';
import { readPact } from '../../../contracts/pact-file.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import type { Target } from '../../../contracts/targets/target.ts';
import { startVerifier } from '../../../contracts/verification/verifier.ts';
import { hasPassed, type Verification, verify } from '../../../contracts/verification/verify.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { failedOf, pact, pactOf, simulated } from './providers.ts';

const verifier = startVerifier();
afterAll(() => verifier.stop());

const ALL = pact.interactions.map(({ description }) => description);
const reasonsIn = ({ interactions }: Verification) => interactions.flatMap(({ reasons }) => reasons);
const changed = (original: Pact, change: (interaction: Interaction) => Interaction): Pact => ({
  ...original,
  interactions: original.interactions.map(change),
});

async function verifyWith(handlers: object, verified = pactOf('a session is open')) {
  const target = simulatorTarget(await simulated());
  const verification = await verify(verified, { ...target, handlers: { ...target.handlers, ...handlers } }, verifier);
  expect(hasPassed(verification)).toBe(false);
  return verification;
}

describe('states', () => {
  it('a state that is not in the vocabulary fails its interactions', async () => {
    const unknown = changed(pactOf('a session is open'), (one) => ({ ...one, providerStates: [{ name: 'it rains' }] }));
    const verification = await verifyWith({}, unknown);
    expect(new Set(reasonsIn(verification))).toEqual(
      new Set([
        'the state "it rains" could not be set up: it is not in the vocabulary. Add it to contracts/states.ts, or use a state from that file',
      ]),
    );
  });

  it('a state without a handler in the target fails its interactions', async () => {
    const verification = await verifyWith({ 'a session is open': undefined });
    expect(reasonsIn(verification)[0]).toContain(
      'this target has no handler for the state. Verify the pact against the simulator',
    );
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no luck')), 'could not be set up: no luck'],
    [
      'returns nothing',
      async () => ({}),
      "its handler did not return authToken, username, version. Fix the target's handler",
    ],
    [
      'does not return every value',
      async () => ({ authToken: 'x', username: 'x' }),
      "its handler did not return version. Fix the target's handler",
    ],
    [
      'returns a number instead of a string',
      async () => ({ authToken: 'x', username: 'x', version: 2.26 }),
      'did not return version. Fix',
    ],
  ])('a handler that %s fails the interactions of its state, and no others', async (_, handler, reason) => {
    const verification = await verifyWith({ 'a session is open': handler }, pact);
    expect(failedOf(pact, verification)).toEqual(
      pactOf('a session is open').interactions.map((one) => one.description),
    );
    expect(reasonsIn(verification)).toEqual(Array(4).fill(expect.stringContaining(reason)));
  });

  it('a state without its parameter fails its interactions', async () => {
    const without = changed(pactOf('an API token is valid'), (one) => ({
      ...one,
      providerStates: [{ name: 'an API token is valid' }],
    }));
    expect(reasonsIn(await verifyWith({}, without))[0]).toContain('its parameter username is missing. Add it');
  });
});

describe('arrays', () => {
  it('an unreachable array fails every interaction, including the one that expects it to fail', async () => {
    const simulator = await simulated();
    const target = simulatorTarget(simulator);
    await simulator.stop();
    const verification = await verify(pact, target, verifier);
    expect(failedOf(pact, verification)).toEqual(ALL);
    expect(reasonsIn(verification).filter((reason) => reason.includes('cannot be reached'))).toHaveLength(ALL.length);
  });

  it('an untrusted array fails every interaction and receives no request', async () => {
    const simulator = await simulated();
    const { certificate: ca } = await createAuthority();
    const good = simulatorTarget(simulator);
    const target: Target = {
      ...good,
      handlers: {
        ...good.handlers,
        'a session is open': async () => ({ authToken: 'x', username: 'x', version: '2.26' }),
      },
      array: { ...good.array, trust: { kind: 'ca', ca } },
    };
    const before = simulator.requests.length;
    const verification = await verify(pactOf('a session is open', 'the array cannot serve requests'), target, verifier);
    expect(reasonsIn(verification).filter((reason) => reason.includes('is not trusted'))).toHaveLength(5);
    expect(simulator.requests.length).toBe(before);
  });

  it('no further login is sent after the maximum number of refused logins', async () => {
    const simulator = await simulated();
    const target = { ...simulatorTarget(simulator), maxRefusedLogins: 1 };
    const twice = pactOf('the API token is not known', 'an API token is valid');
    const again = changed(pactOf('the API token is not known'), (one) => ({ ...one, description: 'once more' }));
    const both = { ...twice, interactions: [...twice.interactions, ...again.interactions] };
    const refused = await verify(both, target, verifier);
    expect(reasonsIn(refused)).toContainEqual(
      expect.stringContaining(
        'no more logins are sent, because the array has refused the maximum number for this run (1)',
      ),
    );
    expect(simulator.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });
});

describe('sessions', () => {
  async function closing(times: number) {
    const simulator = await simulated();
    const target = simulatorTarget(simulator);
    const reset = async () => {
      await Promise.all([target.reset(), simulator.faults.clear()]);
      if (simulator.sessions().length > 0)
        simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 503, times });
    };
    const verification = await verify(pactOf('an API token is valid'), { ...target, reset }, verifier);
    expect(reasonsIn(verification)).toEqual([]);
    return { verification, left: simulator.sessions().length };
  }

  it('a session that cannot be closed at the end fails the run', async () => {
    const { verification, left } = await closing(99);
    expect(verification.findings).toEqual([
      expect.stringContaining('a session that this verification opened could not be closed'),
    ]);
    expect([hasPassed(verification), left]).toEqual([false, 1]);
  });

  it('a session whose logout fails at first is closed by another try', async () => {
    const { verification, left } = await closing(2);
    expect([hasPassed(verification), left]).toEqual([true, 0]);
  });

  it('a session whose auth token did not arrive is reported', async () => {
    const simulator = await simulated();
    simulator.faults.add({ kind: 'answer', path: '/api/login', withoutHeaders: ['x-auth-token'] });
    const verification = await verify(pactOf('an API token is valid'), simulatorTarget(simulator), verifier);
    expect(verification.findings).toEqual([
      expect.stringContaining('the response to a login had status 200 but no x-auth-token'),
    ]);
  });

  it('a session is reported if its login was sent but the response was lost', async () => {
    const simulator = await simulated();
    simulator.faults.add({ kind: 'reset', path: '/api/login' });
    const verification = await verify(pactOf('an API token is valid'), simulatorTarget(simulator), verifier);
    expect(verification.findings).toEqual([expect.stringContaining('the response to a login was lost')]);
    expect(simulator.sessions()).toHaveLength(1);
  });
});

describe('pacts', () => {
  it('a pact without interactions does not pass', async () => {
    const verification = await verify({ ...pact, interactions: [] }, simulatorTarget(await simulated()), verifier);
    expect(hasPassed(verification)).toBe(false);
  });

  it('a pact with a failing pending interaction does not pass', async () => {
    const simulator = await simulated();
    simulator.faults.add({ kind: 'answer', path: '/api/login', body: '{}' });
    const pending = changed(pactOf('an API token is valid'), (one) => ({ ...one, pending: true }));
    const verification = await verify(pending, simulatorTarget(simulator), verifier);
    expect(failedOf(pending, verification)).toEqual(['a login with a valid API token']);
  });

  it('a pact does not pass if the verifier skips an interaction', async () => {
    const forgetful = {
      verify: async (job: Parameters<typeof verifier.verify>[0]) => (await verifier.verify(job)).slice(1),
    };
    const verification = await verify(pact, simulatorTarget(await simulated()), forgetful);
    expect(reasonsIn(verification)).toEqual(['was verified 0 times instead of once']);
  });

  it('a file that is not a pact is refused with the invalid fields', () => {
    expect(() => readPact('package.json')).toThrow(
      /is not a pact file .*\(invalid: consumer, provider, interactions\)/,
    );
    expect(() => readPact('no such file')).toThrow('Pass the path to a pact file');
  });
});

describe('the verifier', () => {
  it('a verifier that ends too early fails every interaction', async () => {
    const dying = startVerifier();
    const target = simulatorTarget(await simulated({ onRequest: () => dying.stop() }));
    const verification = await verify(pact, target, dying);
    expect(failedOf(pact, verification)).toEqual(ALL);
    expect(verification.findings).toEqual([
      'the verifier exited before it reported a result; no interaction was verified',
    ]);
  });

  it('environment variables that would skip interactions have no effect on the verifier', async () => {
    process.env['PACT_DESCRIPTION'] = 'nothing like this';
    const led = startVerifier();
    try {
      expect(hasPassed(await verify(pact, simulatorTarget(await simulated()), led))).toBe(true);
    } finally {
      delete process.env['PACT_DESCRIPTION'];
      await led.stop();
    }
  });
});
