/** The usual mistakes of programs that use the library, each with the sentence that fits. */
import { describe, expect, it } from 'vitest';
import { apiToken, type FlashBlade, login, logout, request, type Session, type Trust } from '../../../lib/index.ts';
import { failureOf } from '../flashblade/failures.ts';
import { simulated } from '../flashblade/simulated.ts';

const PIN = 'ab'.repeat(32);
const ARRAY: FlashBlade = { name: 'fb1', host: '127.0.0.1', port: 9, trust: { kind: 'public' } };
const TOKEN = apiToken('T-00000000-1111-2222-3333-444444444444');

describe('a login is not sent', () => {
  it.each<[string, unknown, string]>([
    ['no trust', undefined, 'array.trust must be { kind: '],
    ['no trust', undefined, 'Nothing is trusted by default'],
    ['the trust of a secret with a CA', { ca: 'x' }, "The value is in the format used in secrets. Add kind: 'ca'"],
    ['the trust of a secret with fingerprints', { fingerprints: [PIN] }, "Add kind: 'fingerprints'"],
    ['a kind that does not exist', { kind: 'none' }, 'array.trust must be { kind: '],
    ['a file', { kind: 'ca', ca: '/etc/pki/ca.pem' }, 'array.trust.ca must be one or more certificates as PEM text'],
    ['one fingerprint as text', { kind: 'fingerprints', fingerprints: PIN }, 'array.trust.fingerprints must be a list'],
    [
      'a SHA-1 fingerprint',
      { kind: 'fingerprints', fingerprints: ['ab'.repeat(20)] },
      'looks like a SHA-1 fingerprint',
    ],
  ])('with %s', async (_, trust, sentence) => {
    const error = await failureOf(login({ ...ARRAY, trust: trust as Trust }, TOKEN));
    expect(error).toMatchObject({ code: 'SECRET_INVALID', facts: { sent: false } });
    expect(error.message).toContain(sentence);
  });

  it.each([
    ['fb1:443', 'Move the port to the field "port"'],
    ['[::1]', 'Remove the brackets'],
    ['https://fb1', 'It looks like a URL'],
    ['fe80::1%eth0', 'Zones such as %eth0 are not supported'],
  ])('to the host %s', async (host, sentence) => {
    expect((await failureOf(login({ ...ARRAY, host }, TOKEN))).message).toMatch(
      new RegExp(`^array\\.host .*${sentence}`),
    );
  });

  it.each(['443', 0, 65_536, 1.5, Number.NaN])('to the port %j', async (port) => {
    const error = await failureOf(login({ ...ARRAY, port: port as number }, TOKEN));
    expect(error).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(/^array\.port must be a number/),
    });
  });

  it('with a plain string as its token', async () => {
    const error = await failureOf(login(ARRAY, TOKEN.reveal() as never));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', message: 'token must be created with apiToken(…)' });
  });

  it.each([undefined, null, 5, {}])('with a token made of %j, because apiToken refuses it', (value) => {
    expect(() => apiToken(value as never)).toThrow(
      expect.objectContaining({
        code: 'REQUEST_INVALID',
        message: expect.stringContaining('must be called with a string'),
      }),
    );
  });

  it.each([
    ['', 'It is empty'],
    ['undefined', 'a missing value'],
    [`${TOKEN}`, 'placeholder for a token in logs'],
    ['"T-1"', 'Remove the quotation marks'],
    ['Bearer T-1', 'Keep only the token'],
    ['T-1\n', 'Remove the spaces and line breaks around it'],
  ])('with the token %j', async (text, sentence) => {
    const error = await failureOf(login(ARRAY, apiToken(text)));
    expect(error).toMatchObject({ code: 'SECRET_INVALID', message: expect.stringContaining(sentence) });
  });
});

it('fingerprints may have colons and capital letters', async () => {
  const { simulator, array } = await simulated({ certificate: 'self-signed' });
  const colons = simulator.fingerprint.toUpperCase().match(/../g)?.join(':') ?? '';
  const session = await login(
    { ...array, trust: { kind: 'fingerprints', fingerprints: [colons] } },
    apiToken(simulator.apiToken),
  );
  expect(session.array.trust).toEqual({ kind: 'fingerprints', fingerprints: [simulator.fingerprint] });
  await logout(session);
  expect(simulator.sessions()).toEqual([]);
});

it('a session that was copied through JSON is refused', async () => {
  const { simulator, array } = await simulated();
  const session = await login(array, apiToken(simulator.apiToken));
  const copy: Session = JSON.parse(JSON.stringify(session));
  for (const call of [() => logout(copy), () => request(copy, { method: 'GET', path: '/api/2.4/arrays' })]) {
    expect(await failureOf(call())).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('session.authToken must be a token that login returned'),
    });
  }
  expect(simulator.requests).toHaveLength(1);
  await logout(session);
});
