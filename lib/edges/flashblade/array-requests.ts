/** A REST call under a session, checked and written as HTTP. Never the two calls that make and end sessions. */
import { FlashBladeError } from '../../ground/errors.ts';

export type ArrayRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with the version, without the query: `/api/2.15/file-systems`. */
  readonly path: string;
  /** Encoded here. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON value. Default no body. */
  readonly body?: unknown;
};

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
// Nothing that a proxy and an array could read differently: no %, no ;, no //, no segment that begins with a dot.
const PATH = /^\/api(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
const SESSION_CALL = /\/(login|logout)([./]|$)/i;

/** Method, path with query, and body text. Throws REQUEST_INVALID with field and rule, never with a value. */
export function toWire({ method, path, query = {}, body }: ArrayRequest) {
  if (!METHODS.includes(method)) throw invalid(`method must be one of ${METHODS.join(', ')}`);
  if (typeof path !== 'string' || !PATH.test(path) || path.includes('..'))
    throw invalid(
      'path must begin with /api/ and consist of segments of letters, digits, dots, hyphens and underscores; a query goes into query',
    );
  if (SESSION_CALL.test(path))
    throw invalid('path must not be login or logout: sessions are opened and closed elsewhere');
  const content = body === undefined ? {} : { body: toJson(body) };
  return { method, path: `${path}${toQuery(query)}`, ...content };
}

function toQuery(query: NonNullable<ArrayRequest['query']>): string {
  const pairs = Object.entries(query).map(([name, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw invalid('query must hold texts, numbers and booleans only');
    }
    return `${encode(name)}=${encode(String(value))}`;
  });
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encode(text: string): string {
  if (!text.isWellFormed()) throw invalid('query must be well-formed Unicode');
  return encodeURIComponent(text);
}

function toJson(body: unknown): string {
  try {
    const text: unknown = JSON.stringify(body);
    if (typeof text === 'string') return text;
  } catch {
    // The same rule, without the words of the library.
  }
  throw invalid('body must be a JSON value');
}

const invalid = (rule: string): FlashBladeError => new FlashBladeError('REQUEST_INVALID', rule, { sent: false });
