/** Every function of the library, called with odd values in every argument and in every field of it. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { authToken } from '../../../lib/core/model.ts';
import { type Fleet, fleetOf } from '../../../lib/fleet-of.ts';
import * as library from '../../../lib/index.ts';
import { isFlashBladeError } from '../../../lib/index.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { world } from '../../kit/memory/world.ts';

const MARK = 'Zq9 marked Zq9';
const PIN = 'ab'.repeat(32);
const TOKEN = 'T-00000000-1111-2222-3333-444444444444';

/** Values that JavaScript lets a program pass anywhere. None of them is valid anywhere, except where `ACCEPTED` says so. */
const ODD: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  'an empty string': '',
  'a string': MARK,
  '"undefined"': 'undefined',
  '"[API token]"': '[API token]',
  zero: 0,
  'a negative number': -1,
  NaN: Number.NaN,
  true: true,
  'a bigint': 1n,
  'a symbol': Symbol(MARK),
  'an empty list': [],
  'a list': [MARK],
  'an empty object': {},
  'an object': { zq: MARK },
  'an object without a prototype': Object.create(null),
  'a date': new Date(0),
  'a map': new Map([[MARK, MARK]]),
  'a function': () => MARK,
  'a promise': Promise.resolve(MARK),
};

let connections = 0;
let port = 0;
let ca = '';
const server = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  ({ certificate: ca } = await createAuthority());
  vi.stubEnv('LEASE_TABLE', '');
});
afterAll(() => {
  vi.unstubAllEnvs();
  library.closeConnections();
  server.close();
});

const array = () =>
  ({ name: 'fb1', host: '127.0.0.1', port, trust: { kind: 'fingerprints', fingerprints: [PIN] } }) as const;
const withCa = () => ({ ...array(), trust: { kind: 'ca', ca } }) as const;
const session = () => ({ array: array(), authToken: authToken('an-auth-token'), username: 'pureuser' });
const call = { method: 'GET', path: '/api/2.4/arrays', query: { limit: 5 }, body: undefined } as const;
const times = { connectTimeoutMs: 500, firstByteTimeoutMs: 500, timeoutMs: 500 };
const budget = {
  ...times,
  signal: undefined,
  requestId: 'request-1',
};

/** Per function: valid arguments, by name. Functions that cannot be called wrongly have none. */
const ARGUMENTS: Readonly<Record<string, () => Readonly<Record<string, unknown>>>> = {
  apiToken: () => ({ apiToken: TOKEN }),
  login: () => ({ array: array(), token: library.apiToken(TOKEN), options: budget }),
  loginWithHttpInfo: () => ({ array: withCa(), token: library.apiToken(TOKEN), options: budget }),
  logout: () => ({ session: session(), options: budget }),
  logoutWithHttpInfo: () => ({ session: session(), options: budget }),
  request: () => ({ session: session(), call, options: { ...budget, exactNumbers: false } }),
  apiVersions: () => ({ array: array(), options: budget }),
  apiVersionsWithHttpInfo: () => ({ array: array(), options: budget }),
  compareVersions: () => ({ version: '2.4', 'version ': '2.15' }),
  connect: () => ({
    options: { host: '127.0.0.1', port, name: 'fb1', trust: array().trust, apiToken: TOKEN, version: '2.4', ...times },
  }),
  createFleet: () => ({
    options: {
      ...{
        table: 'leases',
        key: 'alias/leases',
        secretPrefix: 'flashblade/',
        secretCacheSeconds: 300,
        dueShards: 1,
        ...times,
      },
      limits: { sessionsPerArray: 50, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
      aws: { region: 'eu-central-1' },
      onEvent: () => {},
    },
  }),
  // The functions of a fleet.
  withSession: () => ({
    array: 'fb1',
    work: () => {},
    options: {
      timeoutMs: 30_000,
      leaseId: 'job-1',
      leaseSeconds: 900,
      owner: 'job',
      renew: 'auto',
      maxSeconds: 3600,
      exactNumbers: false,
    },
  }),
  withLease: () => ({ leaseId: 'job-1', work: () => {}, options: { timeoutMs: 30_000, signal: undefined } }),
  open: () => ({ array: 'fb1', options: { timeoutMs: 30_000, leaseId: 'job-1', leaseSeconds: 900, owner: 'job' } }),
  close: () => ({ leaseId: 'job-1', options: { timeoutMs: 30_000, signal: undefined } }),
  renew: () => ({ leaseId: 'job-1', options: { timeoutMs: 30_000, leaseSeconds: 900 } }),
  map: () => ({ arrays: ['fb1'], work: () => {}, options: { concurrency: 2, timeoutMs: 30_000 } }),
  closeOnSignals: () => ({ signals: ['SIGUSR2'] }),
  closeConnections: () => ({}),
  isFlashBladeError: () => ({}),
};

/** Fields that may have any of these values, and names of values that are valid for a field. */
const ACCEPTED: readonly (readonly [field: RegExp, values: RegExp])[] = [
  // Checked when it is used.
  [/^apiToken$/, /string|^"/],
  [/^(report|work)$/, /^a function$/],
  // Names are free text.
  [/^array\.name$|^session\.array\.name$|^options\.name$/, /string|^"/],
  [/^options\.(table|key|secretPrefix)$/, /^a string$|^"\[/],
  [/^options\.(secretCacheSeconds)$/, /zero/],
  [/^options\.(limits|aws)$/, /^an empty object$|without a prototype|date|map|promise/],
  [/^options\.onEvent$/, /^a function$/],
  [/^options\.limits\.|^options\.aws\./, /^undefined$/],
  [/^arrays$/, /^an empty list$/],
  [/^session\.username$/, /./],
  [/^session\.apiToken$/, /undefined/],
  // Optional fields, and objects whose fields are all optional.
  [
    /^options$|^signals$/,
    /^(undefined|an empty object|an object|an object without a prototype|a date|a map|a promise)$/,
  ],
  [/^options\.|^request\.(leaseSeconds|owner)$|^call\.(query|body)$/, /^undefined$/],
  [/^options\.(deadline)$|^deadline$/, /number|zero/],
  [/^options\.exactNumbers$/, /^true$/],
  [/^options\.requestId$/, /^"undefined"/],
  [/^call\.body$/, /^(?!a bigint|a symbol|a function)/],
  [/^call\.query$/, /^an empty object$|^an object$|without a prototype/],
  [/^call\.query\.limit$/, /string|^"|number|zero|true/],
  [/^environment\.|^config\./, /./],
  [/^version/, /string|^"/],
  [/^signals$/, /an empty list/],
];
const isAccepted = (field: string, value: string): boolean =>
  ACCEPTED.some(([fields, values]) => fields.test(field) && values.test(value));

type Case = readonly [fn: string, field: string, value: string];
/** Every function, every argument and every field of it, and every odd value. */
function* cases(): Generator<Case> {
  for (const [fn, make] of Object.entries(ARGUMENTS)) {
    for (const [name, value] of Object.entries(make())) {
      for (const field of fieldsOf(value, name)) for (const odd of Object.keys(ODD)) yield [fn, field, odd];
    }
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value));

function fieldsOf(value: unknown, name: string): string[] {
  if (name.endsWith('ports') || !isPlain(value)) return [name];
  return [name, ...Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner, `${name}.${key}`))];
}

/** A copy with another value in one field. */
function changed(value: unknown, [first, ...rest]: readonly string[], odd: unknown): unknown {
  if (first === undefined) return odd;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  copy[first] = changed(copy[first], rest, odd);
  return copy;
}

async function outcomeOf([fn, field, odd]: Case): Promise<unknown> {
  const [name = '', ...path] = field.split('.');
  const values = { ...ARGUMENTS[fn]?.() };
  values[name] = changed(values[name], path, ODD[odd]);
  const callee = { ...library, ...fleetOf(world().ports) }[fn as keyof Fleet] as (...all: unknown[]) => unknown;
  try {
    const result = await callee(...Object.values(values));
    if (fn === 'closeOnSignals') (result as () => void)();
    return 'accepted';
  } catch (error) {
    return error;
  }
}

/** Whether a message names the field, or a field in it that is missing. List items are named by their list. */
function names(field: string, message: string): boolean {
  const own = field.trim().replaceAll(/\.\d+/g, '').split('.').at(-1) ?? '';
  return message.includes(own) || (own === 'call' && message.startsWith('method '));
}

const CODES = ['REQUEST_INVALID', 'SECRET_INVALID', 'CONFIG_INVALID'] as const;

describe('a function of the library', () => {
  it('is in this table', () => {
    const functions = Object.entries({ ...library, ...fleetOf(world().ports) }).filter(
      ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name),
    );
    expect(functions.map(([name]) => name).sort()).toEqual(Object.keys(ARGUMENTS).sort());
  });

  it.each(Object.keys(ARGUMENTS))('%s refuses every odd value, names its field, and sends nothing', async (wanted) => {
    const wrong: string[] = [];
    let refused = 0;
    for (const one of cases()) {
      const [fn, field, odd] = one;
      if (fn !== wanted || isAccepted(field, odd)) continue;
      const before = connections;
      const outcome = await outcomeOf(one);
      const at = `${field} = ${odd}`;
      if (!isFlashBladeError(outcome, ...CODES)) wrong.push(`${at}: ${outcome}`);
      else if (!names(field, outcome.message)) wrong.push(`${at}: ${outcome.message}`);
      else if (`${outcome.message}${outcome.stack}`.includes('Zq9')) wrong.push(`${at} is quoted: ${outcome.message}`);
      else refused += 1;
      if (connections !== before) wrong.push(`${at}: a connection was opened`);
    }
    expect(wrong).toEqual([]);
    const hasArguments = Object.keys(ARGUMENTS[wanted]?.() ?? {}).length > 0;
    expect(refused).toBeGreaterThan(hasArguments ? 9 : -1);
  });

  it('never answers with a bug, whatever it gets', async () => {
    for (const one of cases()) {
      const outcome = await outcomeOf(one);
      if (outcome === 'accepted' || isFlashBladeError(outcome)) expect(outcome).not.toMatchObject({ code: 'INTERNAL' });
      else expect.unreachable(`${one.join(' ')}: ${outcome}`);
    }
  });
});
