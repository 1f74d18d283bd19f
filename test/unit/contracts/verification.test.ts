/** A verification must fail if it cannot check something, and its error must name the next step. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Interaction, Pact } from '../../../contracts/pact-file.ts';
import { readPact } from '../../../contracts/pact-file.ts';
import { arrayTarget } from '../../../contracts/targets/array.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import type { Target } from '../../../contracts/targets/target.ts';
import { startVerifier } from '../../../contracts/verification/verifier.ts';
import { hasPassed, type Verification, verify } from '../../../contracts/verification/verify.ts';
import { apiToken } from '../../../lib/core/model.ts';
import { toJunit } from '../../../scripts/contracts/report.ts';
import { couldNotReach } from '../../../scripts/contracts/runs.ts';
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
      new Set(['the state "it rains" could not be set up: it is not one of the states in docs/contracts.md']),
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
    expect(reasonsIn(verification)).toEqual(Array(2).fill(expect.stringContaining(reason)));
  });

  it('a state without its parameter fails its interactions', async () => {
    const list = 'a session of a user who may list is open';
    const without = changed(pactOf(list), (one) => ({ ...one, providerStates: [{ name: list }] }));
    expect(reasonsIn(await verifyWith({}, without))[0]).toContain('its parameter list, since is missing. Add it');
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
    expect(couldNotReach(verification)).toBe(true);
    const [first, ...others] = verification.interactions;
    const one = { ...verification, interactions: [{ title: '', reasons: first?.reasons ?? [] }, ...others] };
    expect(couldNotReach(one)).toBe(false);
    const xml = toJunit([{ pact, at: '', provider: '', verification }], { version: '', commit: '' });
    expect([xml.match(/<error /g)?.length, xml.match(/<failure/)]).toEqual([ALL.length, null]);
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
    expect(reasonsIn(verification).filter((reason) => reason.includes('is not trusted'))).toHaveLength(3);
    expect(simulator.requests.length).toBe(before);
  });

  it('a login that names another user than the owner of the API token fails, although the pact accepts any user', async () => {
    const simulator = await simulated();
    const target = simulatorTarget(simulator);
    const handlers = {
      ...target.handlers,
      'an API token is valid': async (parameters: { username?: string }) => {
        const values = await target.handlers['an API token is valid'](parameters);
        simulator.faults.add({ kind: 'answer', path: '/api/login', body: '{"username":"root"}' });
        return values;
      },
    };
    const anyUser = changed(pactOf('an API token is valid'), ({ response, ...one }) => ({
      ...one,
      response: { status: 200, headers: response?.['headers'] },
    }));
    const verification = await verify(anyUser, { ...target, handlers }, verifier);
    expect(reasonsIn(verification)).toEqual(['the response to the login names a user who does not own the API token']);
    expect(simulator.sessions()).toEqual([]);
  });
});

describe('a failure is attributed to the interaction that failed, even if', () => {
  it('another interaction in the same state, or without a state, fails for another reason', async () => {
    const simulator = await simulated();
    const target: Target = {
      ...simulatorTarget(simulator),
      guard: { refuse: ({ path }) => (path === '/refused' ? 'no' : undefined), onRefusedLogin: () => {} },
    };
    const call = (description: string, path: string, states: readonly string[]): Interaction => ({
      type: 'Synchronous/HTTP',
      description,
      providerStates: states.map((name) => ({ name })),
      request: { method: 'GET', path },
      response: { status: 200 },
    });
    const state = ['a session is open'];
    const interactions = [
      call('a', '/refused', state),
      call('b', '/api/2.26/arrays', state),
      call('c', '/refused', []),
      call('d', '/api/2.26/arrays', []),
      call('e', '/api/api_version', []),
    ];
    const verification = await verify({ ...pact, interactions }, target, verifier);
    const wrong = 'expected 200 but was 403';
    expect(verification.interactions.map(({ reasons }) => reasons)).toEqual([['no'], [wrong], ['no'], [wrong], []]);
  });
});

describe('logins on a real array', () => {
  const real = async (allowWrites = false) => {
    const simulator = await simulated({ users: [{ username: 'verifier', apiToken: 'T-own' }] });
    const { array } = simulatorTarget(simulator);
    const target = arrayTarget(
      { array, apiToken: apiToken('T-own'), username: 'verifier' },
      { version: '2.26', allowWrites },
    );
    const statuses = () => simulator.requests.map(({ path, status }) => [path, status]);
    return { simulator, target, statuses };
  };
  const [VALID, UNKNOWN] = [pactOf('an API token is valid'), pactOf('the API token is not known')];
  const inOrder = (...pacts: Pact[]): Pact => ({
    ...pact,
    interactions: pacts.flatMap((one, index) =>
      one.interactions.map((each) => ({ ...each, description: `${index}: ${each.description}` })),
    ),
  });
  /** The pact with the API token of its example instead of the state's. */
  const withExample = (one: Pact): Pact =>
    changed(one, (each) => ({
      ...each,
      request: { method: 'POST', path: '/api/login', headers: { 'api-token': ['T-own-old'] } },
    }));

  it.each([
    ['first', [UNKNOWN, VALID, VALID]],
    ['last', [VALID, VALID, UNKNOWN]],
    ['between valid logins', [VALID, UNKNOWN, VALID]],
    ['with a token of its own', [VALID, withExample(UNKNOWN), VALID]],
    ['twice', [UNKNOWN, UNKNOWN, VALID]],
    ['not at all', [VALID]],
  ])('a pact passes if its login with an unknown API token comes %s', async (_, pacts) => {
    const { target, simulator } = await real();
    const verification = await verify(inOrder(...pacts), target, verifier);
    expect([...reasonsIn(verification), ...verification.findings]).toEqual([]);
    expect(hasPassed(verification)).toBe(true);
    expect(simulator.sessions()).toEqual([]);
  });

  it('a refused API token of the user is not sent again, and the unknown tokens are', async () => {
    const { target, simulator, statuses } = await real();
    simulator.removeUser('verifier');
    const verification = await verify(inOrder(VALID, UNKNOWN, VALID, pactOf('a session is open')), target, verifier);
    expect(reasonsIn(verification)).toContainEqual(expect.stringContaining('the token was not sent again'));
    expect(statuses()).toEqual([
      ['/api/login', 401],
      ['/api/login', 401],
    ]);
  });

  it('an API token that no state returned is not sent, so that an old token of the user cannot lock the user out', async () => {
    const { target, statuses } = await real();
    const verification = await verify(withExample(VALID), target, verifier);
    expect(reasonsIn(verification)).toEqual([
      expect.stringContaining(
        "its API token does not come from the interaction's state. Add a ProviderState generator",
      ),
    ]);
    expect(statuses()).toEqual([]);
  });

  it.each([false, true])('a request that may change the array is sent only if that is allowed: %s', async (allowed) => {
    const { target, simulator } = await real(allowed);
    const erase = { method: 'DELETE', path: '/api/2.26/file-systems', query: { names: ['home'] } };
    const one = { type: 'Synchronous/HTTP', description: 'an erasure', request: erase, response: { status: 403 } };
    const verification = await verify({ ...pact, interactions: [one] }, target, verifier);
    expect(simulator.requests.map(({ method }) => method)).toEqual(allowed ? ['DELETE'] : []);
    expect(reasonsIn(verification)).toEqual(
      allowed
        ? []
        : [
            'DELETE /api/2.26/file-systems?names=home may change the array, so it is not sent. To send it anyway, add --allow-writes.',
          ],
    );
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
      expect.stringMatching(/^1 session may stay open until the array's idle timeout \(could not be closed: .*503/),
    ]);
    expect([hasPassed(verification), left]).toEqual([false, 1]);
  });

  it('many sessions that cannot be closed are one finding', async () => {
    const simulator = await simulated();
    const target = simulatorTarget(simulator);
    const close = target.sessions.closeAll;
    const closeAll = async () => {
      await simulator.stop();
      return close();
    };
    const { findings } = await verify(
      pactOf('a session is open'),
      { ...target, sessions: { ...target.sessions, closeAll } },
      verifier,
    );
    expect(findings).toEqual([
      expect.stringMatching(
        /^[2-9] sessions may stay open until the array's idle timeout \(could not be closed: [^;]*; [^;]*\)$/,
      ),
    ]);
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
