/** Validates a REST call and builds its path, query and body. Rejects calls that open or close sessions. */
import { FlashBladeError } from '../core/errors.ts';
import { METHODS } from './http/request.ts';

/** One REST call. */
export type ArrayRequest = {
  readonly method: (typeof METHODS)[number];
  /** Path with the REST version, but without the query: `/api/2.15/file-systems`. */
  readonly path: string;
  /** Values are encoded for you. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON value. Default none. */
  readonly body?: unknown;
};

// Excludes anything that a proxy and an array could interpret differently: %, ;, // and segments that begin with a dot.
const PATH = /^\/api(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
const SESSION_CALL = /\/(login|logout)([./]|$)/i;

/**
 * Returns the method, the path with the query, and the body text. Throws REQUEST_INVALID, which names the field and the rule but never a
 * value.
 */
export function toWire({ method, path, query = {}, body }: ArrayRequest) {
  if (!METHODS.includes(method)) throw invalid(`method must be one of ${METHODS.join(', ')}`);
  if (typeof path !== 'string' || !PATH.test(path) || path.includes('..'))
    throw invalid(
      'path must start with /api/ and have segments of letters, digits, dots, hyphens and underscores; put the query in "query"',
    );
  if (SESSION_CALL.test(path)) throw invalid('path must not be login or logout, which have their own functions');
  const content = body === undefined ? {} : { body: toJson(body) };
  return { method, path: `${path}${toQuery(query)}`, ...content };
}

function toQuery(query: NonNullable<ArrayRequest['query']>): string {
  const pairs = Object.entries(query).map(([name, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw invalid('query must contain only strings, numbers and booleans');
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
    // The error from JSON.stringify is dropped, because its message may quote the body.
  }
  throw invalid('body must be a JSON value');
}

const invalid = (rule: string): FlashBladeError => new FlashBladeError('REQUEST_INVALID', rule, { sent: false });
