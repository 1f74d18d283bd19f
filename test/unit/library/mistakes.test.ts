/** The usual mistakes of programs that use the library, each with the sentence that fits. */
import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { fleetOf } from '../../../lib/fleet-of.ts';
import * as library from '../../../lib/index.ts';
import { apiToken, type FlashBlade, login, logout, request, type Session, type Trust } from '../../../lib/index.ts';
import { open, world } from '../../kit/memory/world.ts';
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

/** What programs pass although no type allows it. */
// biome-ignore lint/suspicious/noExplicitAny: JavaScript programs pass anything.
type Anything = any;
const js: Anything = library;
const CONNECT = { host: '127.0.0.1', port: 9, apiToken: TOKEN.reveal(), trust: { kind: 'public' } };
const FLEET = { table: 'leases', key: 'alias/leases', aws: { region: 'eu-central-1' } };
const later = (): Promise<unknown> => Promise.resolve({ array: ARRAY });
const sessions = { session: { array: ARRAY, authToken: TOKEN, username: 'pureuser' } };
/** Text that no message may contain. */
const SECRET = /00000000-1111/;

/** Calls the function with what the mistake is, and returns the error. */
async function mistaken(call: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await call();
  } catch (error) {
    expect(library.isFlashBladeError(error), `${error}`).toBe(true);
    return error as library.FlashBladeError;
  }
  throw new Error('the mistake was accepted');
}

type Mistake = readonly [what: string, call: () => unknown, message: string, code?: string];

describe('a program that uses one array is told about its mistake:', () => {
  it.for<Mistake>([
    [
      'swapped arguments of login',
      () => js.login(TOKEN, ARRAY),
      'array must be an object with name, host, port and trust, not a token. The array is the first argument',
    ],
    ['a session as the array', () => js.apiVersions(sessions.session), 'not a session. Pass session.array'],
    ['only a host', () => js.login('fb1', TOKEN), 'array must be an object with name, host, port and trust'],
    [
      'swapped arguments of request',
      () => js.request({ method: 'GET', path: '/api/2.4/arrays' }, sessions.session),
      'session must be the object that login returned. It is a call. The session is the first argument',
    ],
    [
      'the result of loginWithHttpInfo',
      () => js.logout({ data: sessions.session, status: 200, headers: {} }),
      'It is the result of loginWithHttpInfo. Pass its data',
    ],
    [
      'a login without await',
      () => js.logout(later()),
      'session must be the object that login returned. Copies made with JSON have no token. It is a promise. Add await',
    ],
    ['no session', () => js.logout(), 'session must be the object that login returned'],
    ['an array as the session', () => js.logout(ARRAY), 'session.authToken must be a token that login returned'],
    [
      'connect with positional arguments',
      () => js.connect('fb1', TOKEN),
      'options must be an object with host, apiToken and trust',
    ],
    [
      'connect without trust',
      () => js.connect({ ...CONNECT, trust: undefined }),
      'options.trust must be { kind: ',
      'SECRET_INVALID',
    ],
    ['connect with verify: false', () => js.connect({ ...CONNECT, verify: false }), 'unknown option verify. Use trust'],
    [
      'connect with rejectUnauthorized: false',
      () => js.connect({ ...CONNECT, rejectUnauthorized: false }),
      'unknown option rejectUnauthorized. Use trust. Verification cannot be turned off',
    ],
    [
      'a CA beside the trust',
      () => js.connect({ ...CONNECT, ca: 'x' }),
      "unknown option ca. Use trust: { kind: 'ca', ca }",
    ],
    [
      'PEM text as the trust',
      () => js.connect({ ...CONNECT, trust: '-----BEGIN CERTIFICATE-----' }),
      "It is PEM text. Pass it as ca, with kind: 'ca'",
      'SECRET_INVALID',
    ],
    [
      'a Buffer as the CA',
      () => js.connect({ ...CONNECT, trust: { kind: 'ca', ca: Buffer.from('x') } }),
      'options.trust.ca must be a string',
      'SECRET_INVALID',
    ],
    [
      'the trust of a secret',
      () => js.connect({ ...CONNECT, trust: { fingerprints: [PIN] } }),
      "Add kind: 'fingerprints'",
      'SECRET_INVALID',
    ],
    [
      'a variable that is not set',
      () => js.connect({ ...CONNECT, apiToken: undefined }),
      'options.apiToken must be the API token. Is the variable that contains the token set?',
    ],
    ['a variable that is empty', () => js.connect({ ...CONNECT, apiToken: '' }), 'It is empty', 'SECRET_INVALID'],
    [
      'the name of the SDK for the token',
      () => js.connect({ ...CONNECT, apiToken: undefined, api_token: 'x' }),
      'unknown option api_token. Did you mean apiToken?',
    ],
    [
      'a host with a port',
      () => js.connect({ ...CONNECT, host: 'fb1:443' }),
      'options.host must be .* Move the port to the field "port"',
    ],
    ['a URL', () => js.connect({ ...CONNECT, host: 'https://fb1' }), 'options.host must be .* It looks like a URL'],
    [
      'a URL object',
      () => js.connect({ ...CONNECT, host: new URL('https://fb1') }),
      'options.host must be a string: a DNS name or an IP address',
    ],
    ['a port as text', () => js.connect({ ...CONNECT, port: '443' }), 'options.port must be a number from 1 to 65535'],
    [
      'a version as a number',
      () => js.connect({ ...CONNECT, version: 2.1 }),
      'options.version must be a REST version, such as "2.15"',
    ],
    [
      'a point in time as timeoutMs',
      () => js.connect({ ...CONNECT, timeoutMs: Date.now() + 30_000 }),
      'options.timeoutMs must be a number of milliseconds, greater than 0 and at most a week. It is a duration, not a point in time',
    ],
    ['timeout for timeoutMs', () => js.connect({ ...CONNECT, timeout: 30 }), 'unknown option timeout. Use timeoutMs'],
    [
      'a controller as the signal',
      () => js.connect({ ...CONNECT, signal: new AbortController() }),
      'options.signal must be an AbortSignal',
    ],
    [
      'a deadline',
      () => js.login(ARRAY, TOKEN, { deadline: Date.now() }),
      'unknown option deadline. Use timeoutMs, a duration, or signal',
    ],
    [
      'an error with a code that does not exist',
      () => new js.FlashBladeError('ARRAY_BUZY', 'busy'),
      'the code of a FlashBladeError must be one of ERROR_CODES',
    ],
    [
      'a CA with public trust',
      () => js.connect({ ...CONNECT, trust: { kind: 'public', ca: 'x' } }),
      'options.trust must be .* It has another field, which has no effect',
      'SECRET_INVALID',
    ],
    [
      'a CA with fingerprints',
      () => js.connect({ ...CONNECT, trust: { kind: 'fingerprints', fingerprints: [PIN], ca: 'x' } }),
      'options.trust must be .* It has another field, which has no effect',
      'SECRET_INVALID',
    ],
    [
      'a token as the request id',
      () => js.login(ARRAY, TOKEN, { requestId: TOKEN.reveal() }),
      'options.requestId must not contain anything that looks like an API token',
    ],
    ['versions as numbers', () => js.compareVersions(2.4, 2.15), 'version must be a string, such as "2.15"'],
  ])('%s', async ([, call, message, code = 'REQUEST_INVALID']) => {
    const error = await mistaken(call);
    expect(error).toMatchObject({
      code,
      message: expect.stringMatching(pattern(message)),
    });
    expect(`${error.message}`).not.toMatch(SECRET);
  });
});

/** The text as a pattern, in which `.*` stands for anything. */
const pattern = (text: string): RegExp =>
  new RegExp(
    text
      .split('.*')
      .map((part) => part.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
      .join('.*'),
  );

describe('a program that uses a fleet is told about its mistake:', () => {
  const w = world();
  const fleet: Anything = fleetOf(w.ports);
  const lease = { leaseId: 'job-1', array: 'fb1' };
  const work = () => expect.unreachable();

  it.for<Mistake>([
    ['an array object for its name', () => fleet.open(ARRAY), 'array must be a string: the name of an array'],
    [
      'several arrays',
      () => fleet.withSession(['fb1', 'fb2'], work),
      'array must be a string: the name of an array. For several arrays, use map',
    ],
    [
      'an array without await',
      () => fleet.open(later()),
      'array must be a string: the name of an array. It is a promise. Add await',
    ],
    ['work before the array', () => fleet.withSession(work, 'fb1'), 'work must be a function'],
    ['no work', () => fleet.withSession('fb1'), 'work must be a function'],
    ['options before the work', () => fleet.withSession('fb1', { leaseSeconds: 60 }, work), 'work must be a function'],
    [
      'the promise of the work',
      () => fleet.withSession('fb1', later()),
      'work must be a function, not the promise that it returns',
    ],
    [
      'milliseconds for a lease',
      () => fleet.open('fb1', { leaseSeconds: 900_000 }),
      'leaseSeconds must be a whole number from 60 to 86400 (in seconds, not milliseconds)',
    ],
    ['text for a number', () => fleet.open('fb1', { leaseSeconds: '900' }), 'leaseSeconds must be .* not a string'],
    [
      'a deadline',
      () => fleet.open('fb1', { deadline: Date.now() }),
      'unknown option deadline. Use timeoutMs, a duration, or signal',
    ],
    [
      'a point in time as timeoutMs',
      () => fleet.open('fb1', { timeoutMs: Date.now() + 30_000 }),
      'options.timeoutMs must be .* at least 10000 and at most a week. It is a duration',
    ],
    [
      'an endless time',
      () => fleet.close('job-1', { timeoutMs: Number.POSITIVE_INFINITY }),
      'options.timeoutMs must be .* at least 5000 and at most a week',
    ],
    [
      'seconds as timeoutMs',
      () => fleet.withSession('fb1', work, { timeoutMs: 60 }),
      'options.timeoutMs must be a number of milliseconds, at least 20000',
    ],
    ['another case', () => fleet.open('fb1', { leaseid: 'x' }), 'unknown option leaseid. Did you mean leaseId?'],
    [
      'underscores',
      () => fleet.open('fb1', { lease_seconds: 60 }),
      'unknown option lease_seconds. Did you mean leaseSeconds?',
    ],
    [
      'a missing letter',
      () => fleet.open('fb1', { leaseSecond: 60 }),
      'unknown option leaseSecond. Did you mean leaseSeconds?',
    ],
    ['id for leaseId', () => fleet.open('fb1', { id: 'x' }), 'unknown option id. Use leaseId'],
    [
      'expiresAt for leaseSeconds',
      () => fleet.renew('job-1', { expiresAt: new Date() }),
      'unknown option expiresAt. Use leaseSeconds, a duration',
    ],
    ['options as text', () => fleet.open('fb1', 'job-1'), 'options must be an object, or be omitted'],
    [
      'null as a lease id',
      () => fleet.open('fb1', { leaseId: null }),
      'leaseId must be 1 to 512 visible ASCII characters',
    ],
    [
      'an owner as an object',
      () => fleet.open('fb1', { owner: { id: 1 } }),
      'owner must be 1 to 512 visible ASCII characters',
    ],
    [
      'text that a shell has not replaced',
      () => fleet.open('fb1', { leaseId: ['$', '{JOB}'].join('') }),
      'leaseId .* was not replaced',
    ],
    [
      'a lease for its id in close',
      () => fleet.close({ leaseId: 'job-1' }),
      'leaseId must be a string: the id itself, such as lease.leaseId, not an object',
    ],
    [
      'a lease for its id in renew',
      () => fleet.renew(lease),
      'leaseId must be a string: the id itself, such as lease.leaseId, not an object',
    ],
    [
      'a lease for its id in withLease',
      () => fleet.withLease(lease, work),
      'leaseId must be a string: the id itself, such as lease.leaseId, not an object',
    ],
    [
      'an open without await',
      () => fleet.withLease(later(), work),
      'leaseId must be a string: .* It is a promise. Add await',
    ],
    ['no lease id', () => fleet.close(), 'leaseId must be a string: the id itself'],
    [
      'renew: true',
      () => fleet.withSession('fb1', work, { renew: true }),
      "options.renew must be 'auto', or be omitted",
    ],
    [
      'maxSeconds without renew',
      () => fleet.withSession('fb1', work, { maxSeconds: 3600 }),
      "options.maxSeconds has an effect only with renew: 'auto'",
    ],
    [
      'maxSeconds below the lease',
      () => fleet.withSession('fb1', work, { renew: 'auto', maxSeconds: 900 }),
      'options.maxSeconds must be greater than leaseSeconds',
    ],
    [
      'a renewal of the longest lease',
      () => fleet.withSession('fb1', work, { renew: 'auto', leaseSeconds: 86_400 }),
      'options.renew has an effect only if leaseSeconds is less than 86400 (limits.maxLeaseSeconds)',
    ],
    [
      'milliseconds as maxSeconds',
      () => fleet.withSession('fb1', work, { renew: 'auto', maxSeconds: 3_600_000 }),
      'options.maxSeconds must be a number of seconds, greater than 0 and at most 86400',
    ],
    [
      'milliseconds for a renewal',
      () => fleet.renew('job-1', { leaseSeconds: 900_000 }),
      'options.leaseSeconds must be a number of seconds, greater than 0 and at most 86400',
    ],
    ['a number for the options of renew', () => fleet.renew('job-1', 900), 'options must be an object, or be omitted'],
    ['one name for map', () => fleet.map('fb1', work), "arrays must be a list of array names, such as ['fb1', 'fb2']"],
    [
      'a promise for map',
      () => fleet.map(Promise.resolve(['fb1']), work),
      'arrays must be a list of array names, .* It is a promise. Add await',
    ],
    ['array objects for map', () => fleet.map([{ name: 'fb1' }], work), 'arrays.0: must be an array name'],
    ['a Map for map', () => fleet.map(new Map([['fb1', 1]]), work), 'arrays.0: must be an array name'],
    [
      'a misspelled concurrency',
      () => fleet.map(['fb1'], work, { concurency: 2 }),
      'options has an unknown option concurency. Did you mean concurrency?',
    ],
    [
      'no concurrency',
      () => fleet.map(['fb1'], work, { concurrency: 0 }),
      'options.concurrency must be a whole number from 1 to 1000',
    ],
    [
      'one lease id for several arrays',
      () => fleet.map(['fb1'], work, { leaseId: 'x' }),
      'options has an unknown option leaseId',
    ],
    [
      'signals as text',
      () => js.closeOnSignals('SIGINT'),
      "signals must be a list of signal names that a program can handle, such as ['SIGINT']",
    ],
    ['a signal that no program can handle', () => js.closeOnSignals(['SIGKILL']), 'signals must be a list of signal'],
    ['a signal that does not exist', () => js.closeOnSignals(['SIGTREM']), 'signals must be a list of signal names'],
    ['no signals', () => js.closeOnSignals([]), 'signals must be a list of signal names'],
  ])('%s', async ([, call, message]) => {
    const calls = w.calls.length;
    const error = await mistaken(call);
    expect(error).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(pattern(message)),
    });
    expect(w.calls).toHaveLength(calls);
  });
});

describe('createFleet reports the mistake:', () => {
  const client = (aws: object) => () => js.createFleet({ ...FLEET, aws: { region: 'eu-central-1', ...aws } });

  it.for<Mistake>([
    ['a name as the only argument', () => js.createFleet('leases'), 'options must be an object, or be omitted'],
    ['tableName for table', () => js.createFleet({ tableName: 'leases' }), 'unknown option tableName. Use table'],
    [
      'a region at the top',
      () => js.createFleet({ ...FLEET, region: 'eu-central-1' }),
      'unknown option region. Use aws: { region }',
    ],
    [
      'limits at the top',
      () => js.createFleet({ ...FLEET, sessionsPerArray: 5 }),
      'unknown option sessionsPerArray. Use limits: { sessionsPerArray }',
    ],
    [
      'a region with a typo',
      client({ region: 'eu-central1' }),
      'options.aws.region must be a region, such as eu-central-1',
    ],
    ['an empty region', client({ region: '' }), 'options.aws.region must be a region, such as eu-central-1'],
    [
      'other names in the credentials',
      client({ credentials: { accessKey: 'x', secretKey: 'y' } }),
      'options.aws.credentials must have accessKeyId and secretAccessKey',
    ],
    [
      'credentials without await',
      client({ credentials: later() }),
      'options.aws.credentials must have .* It is a promise. Add await',
    ],
    [
      'the client of another service',
      client({ clients: { dynamodb: new KMSClient({}) } }),
      'options.aws.clients.dynamodb must be a client for DynamoDB, not for another service',
    ],
    [
      'another service for Secrets Manager',
      client({ clients: { secretsManager: new DynamoDBClient({}) } }),
      'options.aws.clients.secretsManager must be a client for Secrets Manager',
    ],
    [
      'a client in another case',
      client({ clients: { dynamoDB: new DynamoDBClient({}) } }),
      'unknown option dynamoDB. Did you mean dynamodb?',
    ],
    [
      'the configuration of a client',
      client({ clients: { kms: { region: 'eu-central-1' } } }),
      'options.aws.clients.kms must be a client of the AWS SDK',
    ],
    [
      'a console as onEvent',
      () => js.createFleet({ ...FLEET, onEvent: console }),
      'options.onEvent must be a function',
    ],
    [
      'no table',
      () => js.createFleet({ ...FLEET, table: '' }),
      'option table must be set (name of the DynamoDB lease table)',
      'CONFIG_INVALID',
    ],
    [
      'milliseconds for the cache',
      () => js.createFleet({ ...FLEET, secretCacheSeconds: 300_000 }),
      'option secretCacheSeconds must be a whole number from 0 to 3600',
      'CONFIG_INVALID',
    ],
    [
      'a limit that is too high',
      () => js.createFleet({ ...FLEET, limits: { sessionsPerArray: 501 } }),
      'option limits.sessionsPerArray must be a whole number from 1 to 500',
      'CONFIG_INVALID',
    ],
    [
      'text for a number',
      () => js.createFleet({ ...FLEET, dueShards: '4' }),
      'option dueShards must be a whole number from 1 to 16',
      'CONFIG_INVALID',
    ],
  ])('%s', async ([, call, message, code = 'REQUEST_INVALID']) => {
    const error = await mistaken(call);
    expect(error).toMatchObject({ code, message: expect.stringMatching(pattern(message)) });
  });
});

/** Calls in a session, and the sentence about the mistake. */
const CALLS: readonly (readonly [what: string, call: (fb: Anything) => unknown, message: string])[] = [
  ['no path', (fb) => fb.get(), 'path must be a string, such as /api/2.15/arrays'],
  ['an object for the path', (fb) => fb.get({ path: '/arrays' }), 'path must be a string'],
  ['a path with a query', (fb) => fb.get('/arrays?limit=1'), 'path must not contain a query. Put the query in "query"'],
  ['a URL', (fb) => fb.get('https://fb1/api/2.4/arrays'), 'path must not contain the scheme and the host'],
  ['a version without /api', (fb) => fb.get('/2.4/arrays'), 'path must begin with /api/ if it contains a REST version'],
  ['a login', (fb) => fb.post('/login'), 'path must not be login or logout, which have their own functions'],
  ['a logout', (fb) => fb.post('/api/logout'), 'path must not be login or logout, which have their own functions'],
  ['a method before the path', (fb) => fb.get('GET', '/arrays'), 'options must be an object, or be omitted'],
  ['null as the options', (fb) => fb.get('/arrays', null), 'options must be an object, or be omitted'],
  [
    'the body for the options',
    (fb) => fb.post('/buckets', { name: 'x' }),
    'unknown option name. The options are .*query.*body',
  ],
  [
    'the query for the options',
    (fb) => fb.get('/arrays', { limit: 5 }),
    'unknown option limit. The options are .*query',
  ],
  ['params for query', (fb) => fb.get('/arrays', { params: { limit: 5 } }), 'unknown option params. Use query'],
  ['json for body', (fb) => fb.patch('/arrays', { json: {} }), 'unknown option json. Use body'],
  ['a body in a GET', (fb) => fb.get('/arrays', { body: {} }), 'unknown option body'],
  [
    'undefined in a query',
    (fb) => fb.get('/arrays', { query: { limit: undefined } }),
    'query.limit must be .* Omit parameters that have no value',
  ],
  [
    'a list in a query',
    (fb) => fb.get('/arrays', { query: { names: ['a', 'b'] } }),
    'query.names must be .* Join the items of a list with commas',
  ],
  [
    'a token in a path',
    (fb) => fb.get(`/arrays/${TOKEN.reveal()}`),
    'path must not contain anything that looks like an API token',
  ],
  ['a query as text', (fb) => fb.get('/arrays', { query: 'limit=1' }), 'query must be a JSON object'],
  ['null as a query', (fb) => fb.get('/arrays', { query: null }), 'query must be a JSON object'],
  [
    'URLSearchParams',
    (fb) => fb.get('/arrays', { query: new URLSearchParams('limit=1') }),
    'query must be a JSON object',
  ],
  ['a bigint in a body', (fb) => fb.post('/file-systems', { body: { provisioned: 1n } }), 'body must be a JSON value'],
  ['a function as a body', (fb) => fb.put('/file-systems', { body: () => 1 }), 'body must be a JSON value'],
  [
    'a point in time as timeoutMs',
    (fb) => fb.delete('/buckets', { timeoutMs: Date.now() }),
    'options.timeoutMs must be .* at most a week',
  ],
  [
    'a list whose options have a typo',
    (fb) => fb.list('/arrays', { querry: {} }).next(),
    'unknown option querry. Did you mean query?',
  ],
  [
    'null as the options of a list',
    (fb) => fb.list('/arrays', null).next(),
    'options must be an object, or be omitted',
  ],
  [
    'text as the options of a list',
    (fb) => fb.list('/arrays', 'limit=1').next(),
    'options must be an object, or be omitted',
  ],
  ['a number as the options of a list', (fb) => fb.list('/arrays', 5).next(), 'options must be an object'],
  [
    'a body without await',
    (fb) => fb.post('/buckets', { body: later() }),
    'body must be .* It is a promise. Add await',
  ],
  ['a Map as a body', (fb) => fb.post('/buckets', { body: new Map([['name', 'x']]) }), 'body must be a JSON value'],
  [
    'URLSearchParams as a body',
    (fb) => fb.post('/buckets', { body: new URLSearchParams('name=x') }),
    'body must be a JSON value',
  ],
  [
    'a lowercase method',
    (fb) => fb.request({ method: 'get', path: '/api/2.4/arrays' }),
    'method must be one of .* in capital letters',
  ],
  ['a path for a request', (fb) => fb.request('/api/2.4/arrays'), 'the call must be an object with method and path'],
  ['a request without /api', (fb) => fb.request({ method: 'GET', path: '/arrays' }), 'path must start with /api/'],
];

describe('a call in a session is not sent with the mistake:', () => {
  it.each(CALLS)('%s, in a connection', async (_, call, message) => {
    const { simulator, array } = await simulated();
    const { host, port, trust } = array;
    const fb = await library.connect({ host, port, trust, apiToken: simulator.apiToken });
    const requests = simulator.requests.length;
    const error = await mistaken(() => call(fb));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringMatching(pattern(message)) });
    expect(simulator.requests).toHaveLength(requests);
    await fb.close();
  });

  // The arrays in memory do not check calls.
  it.each(CALLS.filter(([what]) => !/request|bigint|function|lowercase/.test(what)))(
    '%s, in a fleet',
    async (_, call, message) => {
      const w = world();
      await open(w);
      await fleetOf(w.ports).withLease('job-1', async (fb) => {
        const calls = w.calls.length;
        const error = await mistaken(() => call(fb));
        expect(error).toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringMatching(pattern(message)) });
        expect(w.calls).toHaveLength(calls);
      });
    },
  );
});

it('the names that the library no longer exports are in the changelog, with what replaces them', () => {
  const changelog = readFileSync(new URL('../../../CHANGELOG.md', import.meta.url), 'utf8');
  const removed = [
    'withSession',
    'withLease',
    'openSession',
    'closeSession',
    'createPorts',
    'environmentPorts',
    'readConfig',
  ];
  for (const name of removed) {
    expect(library).not.toHaveProperty(name);
    expect(changelog).toMatch(new RegExp(`^ *\\| .*\`${name}\\b.* \\| .*fleet`, 'im'));
  }
});
