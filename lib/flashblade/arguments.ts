/**
 * Checks the arguments of the library's functions, because JavaScript programs, `any` and parsed JSON can pass anything. Every error names
 * the argument and the fix, but never the value. Nothing is sent to an array.
 */
import { type ErrorCode, FlashBladeError } from '../core/errors.ts';
import { bareHostFault, isPort } from '../core/host.ts';
import type { ApiToken, FlashBlade, Session, Trust } from '../core/model.ts';
import { tokenFault } from '../core/model.ts';
import { containsApiToken, NO_API_TOKEN } from '../core/redact.ts';
import type { CallOptions } from './client.ts';
import { isHeaderValue } from './http/request.ts';
import { readPem } from './pem.ts';
import { fingerprintFault, normalFingerprint } from './trust.ts';

type Fields = Readonly<Record<string, unknown>>;

export function invalid(what: string, rule: string, code: ErrorCode = 'REQUEST_INVALID'): FlashBladeError {
  return new FlashBladeError(code, `${what} ${rule}`, { sent: false });
}

/** Returns the value if it is an object. Otherwise, throws an error with `rule`, which says how to get such an object. */
export function checkedObject<Value>(what: string, value: Value, rule: string): Value & Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Value & Fields;
  throw invalid(what, rule);
}

/** Returns the array, with its fingerprints in normal form. */
export function checkedArray(array: FlashBlade, what = 'array'): FlashBlade {
  const { name, host, port, trust } = checkedObject(what, array, 'must be an object with name, host, port and trust');
  if (typeof name !== 'string' || !/^\P{C}{1,256}$/u.test(name))
    throw invalid(`${what}.name`, 'must be the name of the array: 1 to 256 characters');
  if (containsApiToken(name)) throw invalid(`${what}.name`, NO_API_TOKEN);
  const fault = typeof host === 'string' ? bareHostFault(host) : 'must be a string: a DNS name or an IP address';
  if (fault !== undefined) throw invalid(`${what}.host`, fault);
  if (!isPort(port)) throw invalid(`${what}.port`, 'must be a number from 1 to 65535, usually 443');
  const checked = checkedTrust(trust, `${what}.trust`);
  return checked === trust ? array : { ...array, trust: checked };
}

const TRUST_RULE = "must be { kind: 'public' }, { kind: 'ca', ca } or { kind: 'fingerprints', fingerprints }";

function checkedTrust(trust: Trust, what: string): Trust {
  const refused = (field: string, rule: string) => invalid(`${what}${field}`, rule, 'SECRET_INVALID');
  if (typeof trust !== 'object' || trust === null || Array.isArray(trust))
    throw refused('', `${TRUST_RULE}. Nothing is trusted by default`);
  const { kind, ca, fingerprints }: Fields = trust;
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

export function checkedApiToken(token: ApiToken): ApiToken {
  if (!isToken(token, 'API token')) throw invalid('token', 'must be created with apiToken(…)');
  const fault = tokenFault(String(token.reveal()));
  if (fault !== undefined) throw invalid('token', fault, 'SECRET_INVALID');
  return token;
}

/** Returns the session, with its array's fingerprints in normal form. */
export function checkedSession(session: Session): Session {
  const rule = 'must be the object that login returned. Copies made with JSON have no token';
  const { array, authToken, apiToken } = checkedObject('session', session, rule);
  const ownRule = `must be a token that login returned. The session ${rule}`;
  if (!isToken(authToken, 'auth token')) throw invalid('session.authToken', ownRule);
  if (apiToken !== undefined && !isToken(apiToken, 'API token')) throw invalid('session.apiToken', ownRule);
  const checked = checkedArray(array, 'session.array');
  return checked === array ? session : { ...session, array: checked };
}

const TIMES = ['connectMs', 'firstByteMs', 'totalMs'] as const;

export function checkedOptions<Options extends CallOptions>(options: Options | undefined): Options | undefined {
  if (options === undefined) return undefined;
  const { deadline, requestId, ...others } = checkedObject('options', options, 'must be an object, or be omitted');
  for (const name of TIMES) {
    const value = (others as Fields)[name];
    if (value !== undefined && !(typeof value === 'number' && value > 0))
      throw invalid(`options.${name}`, 'must be a number of milliseconds greater than 0');
  }
  if (deadline !== undefined) checkedDeadline('options.deadline', deadline);
  const { exactNumbers } = others as Fields;
  if (exactNumbers !== undefined && typeof exactNumbers !== 'boolean')
    throw invalid('options.exactNumbers', 'must be true or false');
  if (requestId !== undefined && !(typeof requestId === 'string' && isHeaderValue(requestId)))
    throw invalid('options.requestId', 'must be 1 to 1024 visible ASCII characters without spaces');
  return options;
}

export function checkedDeadline(what: string, deadline: number): number {
  if (typeof deadline === 'number' && !Number.isNaN(deadline)) return deadline;
  throw invalid(what, 'must be a number of milliseconds since the epoch, such as Date.now() + 30_000');
}
