/** Validates a REST call and builds its path, query and body. Rejects calls that open or close sessions. */
import { FlashBladeError } from '../core/errors.ts';
import { containsApiToken, NO_API_TOKEN } from '../core/redact.ts';
import { METHODS } from './http/request.ts';

/** One REST call. */
export interface ArrayRequest {
  readonly method: (typeof METHODS)[number];
  /** Path with the REST version, but without the query: `/api/2.15/file-systems`. */
  readonly path: string;
  /** The names and values are encoded for you. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON value. Default: none. */
  readonly body?: unknown;
}

// Excludes anything that a proxy and an array could interpret differently: %, ;, // and segments that begin with a dot.
const PATH = /^\/api(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
export const METHOD_RULE = `must be one of ${METHODS.join(', ')}, in capital letters`;
const SESSION_CALL = /\/(login|logout)([./]|$)/i;

/**
 * Returns the method, the path with the query, and the body text. Throws REQUEST_INVALID, which names the field and the rule but never a
 * value.
 */
export function toWire(call: ArrayRequest) {
  if (!isObject(call)) throw invalid('the call must be an object with method and path');
  const { method, path, query = {}, body } = call;
  if (!METHODS.includes(method)) throw invalid(`method ${METHOD_RULE}`);
  const fault = pathFault(path);
  if (fault !== undefined) throw invalid(`path ${fault}`);
  if (containsApiToken(path)) throw invalid(`path ${NO_API_TOKEN}`);
  if (SESSION_CALL.test(path)) throw invalid('path must not be login or logout, which have their own functions');
  const content = body === undefined ? {} : { body: toJson(body) };
  return { method, path: `${path}${toQuery(query)}`, ...content };
}

/** Returns why a path is invalid, or undefined. */
function pathFault(path: unknown): string | undefined {
  if (typeof path !== 'string') return 'must be a string, such as /api/2.15/arrays';
  if (path.includes('://')) return 'must not contain the scheme and the host. Begin it with /';
  if (/[?#]/.test(path)) return 'must not contain a query. Put the query in "query"';
  if (!path.startsWith('/api/')) return 'must start with /api/';
  if (PATH.test(path) && !path.includes('..')) return undefined;
  return 'must consist of segments of letters, digits, dots, hyphens and underscores. A segment must not begin with a dot';
}

function toQuery(query: NonNullable<ArrayRequest['query']>): string {
  const fault = queryFault(query);
  if (fault !== undefined) throw invalid(`query${fault}`);
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Returns why a query is invalid, worded to follow the word `query`, or undefined. Quotes a name only if it looks like a field name. */
function queryFault(query: unknown): string | undefined {
  if (!isPlainObject(query)) return ' must be a JSON object with string, number or boolean values';
  for (const [name, value] of Object.entries(query)) {
    const fault = valueFault(value);
    if (fault !== undefined) return `${/^[A-Za-z][A-Za-z_-]{0,31}$/.test(name) ? `.${name}` : ''} ${fault}`;
  }
  return undefined;
}

/** Returns why a value cannot be part of a query, or undefined. */
export function valueFault(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return undefined;
  const rule = 'must be a string, a number or a boolean';
  if (Array.isArray(value)) return `${rule}. Join the items of a list with commas`;
  return value === undefined || value === null ? `${rule}. Omit parameters that have no value` : rule;
}

/** Returns false for lists, and for objects such as a Map or URLSearchParams, whose entries would be lost. */
function isPlainObject(value: unknown): value is object {
  const prototype = isObject(value) ? Object.getPrototypeOf(value) : undefined;
  return prototype === null || (prototype !== undefined && Object.getPrototypeOf(prototype) === null);
}

const isPromise = (value: unknown): boolean => isObject(value) && 'then' in value && typeof value.then === 'function';

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function encode(text: string): string {
  if (!text.isWellFormed()) throw invalid('query must be well-formed Unicode');
  return encodeURIComponent(text);
}

function toJson(body: unknown): string {
  if (isPromise(body)) throw invalid('body must be a JSON value. It is a promise. Add await');
  // JSON.stringify would drop their entries.
  if (body instanceof Map || body instanceof Set || body instanceof URLSearchParams)
    throw invalid('body must be a JSON value, such as an object or a list');
  try {
    const text: unknown = JSON.stringify(body);
    if (typeof text === 'string') return text;
  } catch {
    // The error from JSON.stringify is dropped, because its message may quote the body.
  }
  throw invalid('body must be a JSON value, without functions, BigInts and circular references');
}

const invalid = (rule: string): FlashBladeError => new FlashBladeError('REQUEST_INVALID', rule, { sent: false });
