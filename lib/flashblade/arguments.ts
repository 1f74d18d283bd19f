/**
 * Checks the arguments of the library's functions, because JavaScript programs, `any` and parsed JSON can pass anything. Every error names
 * the argument and the fix, but never the value. Nothing is sent to an array.
 */
import { constants } from 'node:os';
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';
import { bareHostFault, isPort } from '../core/host.ts';
import type { ApiToken, FlashBlade, Session, Trust } from '../core/model.ts';
import { tokenFault } from '../core/model.ts';
import { containsApiToken, NO_API_TOKEN } from '../core/redact.ts';
import { isHeaderValue } from './http/request.ts';
import { readPem } from './pem.ts';
import { fingerprintFault, normalFingerprint } from './trust.ts';

type Fields = Readonly<Record<string, unknown>>;

export function invalid(what: string, rule: string, code: ErrorCode = 'REQUEST_INVALID'): FlashBladeError {
  return new FlashBladeError(code, `${what} ${rule}`, { sent: false });
}

/** Returns the value if it is an object. Otherwise, throws an error with `rule`, which says how to get such an object. */
export function checkedObject<Value>(what: string, value: Value, rule: string): Value & Fields {
  if (isPromise(value)) throw invalid(what, `${rule}. ${AWAIT}`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Value & Fields;
  throw invalid(what, rule);
}

export const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

export const AWAIT = 'It is a promise. Add await';

/** Returns the array, with its fingerprints in normal form. */
export function checkedArray(array: FlashBlade, what = 'array'): FlashBlade {
  const rule = 'must be an object with name, host, port and trust';
  const { name, host, port, trust, reveal, authToken } = checkedObject(what, array, rule);
  if (reveal !== undefined) throw invalid(what, `${rule}, not a token. The array is the first argument`);
  if (authToken !== undefined) throw invalid(what, `${rule}, not a session. Pass session.array`);
  const fault = typeof host === 'string' ? bareHostFault(host) : 'must be a string: a DNS name or an IP address';
  if (fault !== undefined) throw invalid(`${what}.host`, fault);
  if (typeof name !== 'string' || !/^\P{C}{1,256}$/u.test(name))
    throw invalid(`${what}.name`, 'must be the name of the array: 1 to 256 characters');
  if (containsApiToken(name)) throw invalid(`${what}.name`, NO_API_TOKEN);
  if (!isPort(port)) throw invalid(`${what}.port`, 'must be a number from 1 to 65535, usually 443');
  const checked = checkedTrust(trust, `${what}.trust`);
  return checked === trust ? array : { ...array, trust: checked };
}

const TRUST_RULE = "must be { kind: 'public' }, { kind: 'ca', ca } or { kind: 'fingerprints', fingerprints }";

function checkedTrust(trust: Trust, what: string): Trust {
  const refused = (field: string, rule: string) => invalid(`${what}${field}`, rule, 'SECRET_INVALID');
  if (typeof trust === 'string' && /BEGIN CERTIFICATE/.test(trust))
    throw refused('', `${TRUST_RULE}. It is PEM text. Pass it as ca, with kind: 'ca'`);
  if (typeof trust !== 'object' || trust === null || Array.isArray(trust))
    throw refused('', `${TRUST_RULE}. Nothing is trusted by default`);
  const { kind, ca, fingerprints }: Fields = trust;
  const isKnown = kind === 'public' || kind === 'ca' || kind === 'fingerprints';
  // A field without an effect, such as a CA with kind: 'public', would make the program trust more than it seems to.
  if (isKnown && Object.keys(trust).some((name) => name !== 'kind' && name !== kind))
    throw refused('', `${TRUST_RULE}. It has another field, which has no effect`);
  if (kind === 'public') return trust;
  if (kind === 'ca') {
    if (typeof ca !== 'string') throw refused('.ca', 'must be a string: the PEM text of one or more certificates');
    const { fault } = readPem(ca);
    if (fault !== undefined) throw refused('.ca', fault);
    return trust;
  }
  if (kind === 'fingerprints') {
    if (!Array.isArray(fingerprints) || fingerprints.length === 0)
      throw refused('.fingerprints', 'must be a list of SHA-256 fingerprints');
    const normal = fingerprints.map((one: unknown, index) => {
      const fault = typeof one === 'string' ? fingerprintFault(one) : 'must be a string';
      if (fault !== undefined) throw refused(`.fingerprints.${index}`, fault);
      return normalFingerprint(one as string) as string;
    });
    return normal.every((one, index) => one === fingerprints[index]) ? trust : { kind, fingerprints: normal };
  }
  const ofSecret = kind !== undefined ? undefined : ca !== undefined ? 'ca' : fingerprints && 'fingerprints';
  throw refused(
    '',
    ofSecret ? `${TRUST_RULE}. The value is in the format used in secrets. Add kind: '${ofSecret}'` : TRUST_RULE,
  );
}

type AnyToken = { readonly kind: string; reveal(): unknown };

const isToken = (value: unknown, kind: string): value is AnyToken =>
  typeof value === 'object' &&
  value !== null &&
  (value as Partial<AnyToken>).kind === kind &&
  typeof (value as Partial<AnyToken>).reveal === 'function';

export function checkedApiToken(token: ApiToken, what = 'token'): ApiToken {
  if (!isToken(token, 'API token')) throw invalid(what, 'must be created with apiToken(…)');
  const fault = tokenFault(String(token.reveal()));
  if (fault !== undefined) throw invalid(what, fault, 'SECRET_INVALID');
  return token;
}

/** Returns the session, with its array's fingerprints in normal form. */
export function checkedSession(session: Session): Session {
  const rule = 'must be the object that login returned. Copies made with JSON have no token';
  const { array, authToken, apiToken, data, method } = checkedObject('session', session, rule);
  if (authToken === undefined && data !== undefined)
    throw invalid(
      'session',
      'must be the object that login returned. It is the result of loginWithHttpInfo. Pass its data',
    );
  if (authToken === undefined && method !== undefined)
    throw invalid('session', 'must be the object that login returned. It is a call. The session is the first argument');
  const ownRule = `must be a token that login returned. The session ${rule}`;
  if (!isToken(authToken, 'auth token')) throw invalid('session.authToken', ownRule);
  if (apiToken !== undefined && !isToken(apiToken, 'API token')) throw invalid('session.apiToken', ownRule);
  const checked = checkedArray(array, 'session.array');
  return checked === array ? session : { ...session, array: checked };
}

const TIMES = ['connectTimeoutMs', 'firstByteTimeoutMs', 'timeoutMs'] as const;
const OF_A_CALL = [...TIMES, 'signal', 'requestId'];

/** Checks the options of one call. `more` are the names of the options that only some calls have. */
export function checkedCall<Options extends object>(
  options: Options | undefined,
  more: readonly string[] = [],
  what = 'options',
): Options | undefined {
  if (options === undefined) return undefined;
  onlyKnown(what, options, [...OF_A_CALL, ...more]);
  const given: Fields = options as Fields;
  for (const name of TIMES) checkedMs(given[name], `${what}.${name}`);
  const { exactNumbers, requestId } = given;
  checkedSignal(given['signal'], what);
  if (exactNumbers !== undefined && typeof exactNumbers !== 'boolean')
    throw invalid(`${what}.exactNumbers`, 'must be true or false');
  if (requestId !== undefined && !(typeof requestId === 'string' && isHeaderValue(requestId)))
    throw invalid(`${what}.requestId`, 'must be 1 to 1024 visible ASCII characters without spaces');
  if (typeof requestId === 'string' && containsApiToken(requestId)) throw invalid(`${what}.requestId`, NO_API_TOKEN);
  return options;
}

/** Returns true for the name of a signal that a program can handle. */
export const canBeHandled = (name: unknown): boolean =>
  typeof name === 'string' && Object.hasOwn(constants.signals, name) && name !== 'SIGKILL' && name !== 'SIGSTOP';

export const isPositive = (value: unknown): value is number => typeof value === 'number' && value > 0;

const WEEK_MS = 604_800_000;

/** Checks a duration. Longer ones than a week are mistakes, such as points in time. */
export function checkedMs(value: unknown, what: string, min?: number): void {
  if (value === undefined || (isPositive(value) && value >= (min ?? 0) && value <= WEEK_MS)) return;
  const rule = `must be a number of milliseconds, ${min === undefined ? 'greater than 0' : `at least ${min}`}`;
  throw invalid(
    what,
    isPositive(value) && value > WEEK_MS ? `${rule} and at most a week. It is a duration, not a point in time` : rule,
  );
}

export function checkedSignal(signal: unknown, what: string): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalid(`${what}.signal`, 'must be an AbortSignal, such as AbortSignal.timeout(30_000)');
}

/** Names that callers may expect, each with the option to use instead. */
const OTHERS: Readonly<Record<string, readonly [option: string, advice: string]>> = {
  deadline: ['timeoutMs', 'Use timeoutMs, a duration, or signal'],
  timeout: ['timeoutMs', 'Use timeoutMs'],
  totalMs: ['timeoutMs', 'Use timeoutMs'],
  verify: ['trust', 'Use trust'],
  rejectUnauthorized: ['trust', 'Use trust. Verification cannot be turned off'],
  ca: ['trust', "Use trust: { kind: 'ca', ca }"],
  token: ['apiToken', 'Use apiToken'],
  id: ['leaseId', 'Use leaseId'],
  expiresAt: ['leaseSeconds', 'Use leaseSeconds, a duration'],
  ttl: ['leaseSeconds', 'Use leaseSeconds'],
  params: ['query', 'Use query'],
  json: ['body', 'Use body'],
  data: ['body', 'Use body'],
  tableName: ['table', 'Use table'],
  leaseTable: ['table', 'Use table'],
  keyId: ['key', 'Use key'],
  region: ['aws', 'Use aws: { region }'],
  credentials: ['aws', 'Use aws: { credentials }'],
  clients: ['aws', 'Use aws: { clients }'],
  sessionsPerArray: ['limits', 'Use limits: { sessionsPerArray }'],
  arrayIdleSeconds: ['limits', 'Use limits: { arrayIdleSeconds }'],
  maxLeaseSeconds: ['limits', 'Use limits: { maxLeaseSeconds }'],
  onReport: ['onEvent', 'Use onEvent'],
};

/** Throws an error that names the first option that does not exist, because a misspelt option would have no effect. */
export function onlyKnown(what: string, options: object, names: readonly string[]): void {
  checkedObject(what, options, 'must be an object, or be omitted');
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other === undefined) return;
  const isName = /^[A-Za-z][A-Za-z_-]{0,31}$/.test(other);
  const near = names.find((name) => isNear(name, other));
  const [instead = '', use] = Object.hasOwn(OTHERS, other) ? (OTHERS[other] ?? []) : [];
  const listed = `The options are ${names.join(', ')}`;
  const advice = near ? `Did you mean ${near}?` : names.includes(instead) ? use : listed;
  throw invalid(what, `has an unknown option${isName ? ` ${other}` : ''}. ${advice}`);
}

/** Returns true if two names differ only in case, in hyphens and underscores, or in one letter that is missing. */
function isNear(name: string, other: string): boolean {
  const [a, b] = [name, other].map((text) => text.toLowerCase().replaceAll(/[_-]/g, '')) as [string, string];
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const isPart = [...long].some((_, index) => long.slice(0, index) + long.slice(index + 1) === short);
  return a === b || (isPart && short.length > 3);
}
