/** The calls of a session as programs make them: `get` returns the body, and `list` follows the pages. Built from one `request`. */
import { type ErrorFacts, FlashBladeError } from '../core/errors.ts';
import { redactApiTokens } from '../core/redact.ts';
import { checkedCall, invalid } from './arguments.ts';
import type { ArrayRequest, ArrayResponse } from './client.ts';
import { toWire } from './requests.ts';
import { compareVersions, fieldOf, isRefusal, retryAfterSeconds } from './responses.ts';

/** Time limits of a call, in milliseconds. */
export interface Timeouts {
  /** For the whole call, including a retry. Default: 10000. */
  readonly timeoutMs?: number | undefined;
  /** For the DNS lookup, connection and TLS handshake. Default: 2000. */
  readonly connectTimeoutMs?: number | undefined;
  /** From the request to the end of the response's headers. Default: 5000. */
  readonly firstByteTimeoutMs?: number | undefined;
}

/** Options that every call to an array accepts. */
export interface CallOptions extends Timeouts {
  /** Aborts the call, which then throws the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Sent to the array as `X-Request-ID`. Default: a random UUID. */
  readonly requestId?: string | undefined;
}

/** Options of `request`. */
export interface RequestOptions extends CallOptions {
  /**
   * Returns numbers that JavaScript would round, such as 12345678901234567890, as `JSON.rawJSON` objects. Their `rawJSON` field contains
   * the digits. Default: false, unless `withSession` or `withLease` got this option.
   */
  readonly exactNumbers?: boolean | undefined;
}

/** Options of `get` and `list`. */
export interface DataOptions extends RequestOptions {
  /** The names and values are encoded for you. Default: none. */
  readonly query?: ArrayRequest['query'] | undefined;
}

/** Options of `post`, `patch`, `put` and `delete`. */
export interface ChangeOptions extends DataOptions {
  /** JSON value. Default: none. */
  readonly body?: unknown;
}

/**
 * The calls in one session. A path is either complete, such as `/api/2.15/arrays`, or begins after the REST version, such as `/arrays`.
 * `get`, `post`, `patch`, `put`, `delete` and `list` throw unless the status is 2xx: FORBIDDEN (401, 403), ARRAY_BUSY (429, 5xx) or
 * CALL_REFUSED (any other status), with `facts.status`. If something in front of the array refused the call, they throw ARRAY_UNREACHABLE.
 * Every call can also throw ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME and REQUEST_INVALID. In a session of a fleet, a
 * call that has to log in again also throws what `open` throws.
 */
export interface ArrayCalls {
  /**
   * Returns the body of a GET.
   *
   * @example
   * const { items } = await fb.get<{ items: { name: string }[] }>('/arrays');
   */
  get<Body = unknown>(path: string, options?: DataOptions): Promise<Body>;
  /**
   * Returns the body of a POST.
   *
   * @example
   * await fb.post('/file-systems', { query: { names: 'logs' }, body: { provisioned: 2 ** 40 } });
   */
  post<Body = unknown>(path: string, options?: ChangeOptions): Promise<Body>;
  /**
   * Returns the body of a PATCH.
   *
   * @example
   * await fb.patch('/file-systems', { query: { names: 'scratch' }, body: { destroyed: true } });
   */
  patch<Body = unknown>(path: string, options?: ChangeOptions): Promise<Body>;
  /**
   * Returns the body of a PUT.
   *
   * @example
   * await fb.put('/file-systems', { query: { names: 'scratch' }, body: { provisioned: 2 ** 40 } });
   */
  put<Body = unknown>(path: string, options?: ChangeOptions): Promise<Body>;
  /**
   * Returns the body of a DELETE.
   *
   * @example
   * await fb.delete('/file-systems', { query: { names: 'scratch' } });
   */
  delete<Body = unknown>(path: string, options?: ChangeOptions): Promise<Body>;
  /**
   * Yields every item of a collection, page by page. Set the page size with `query.limit`. Throws ANSWER_INVALID if a page has no items.
   *
   * @example
   * for await (const { name } of fb.list<{ name: string }>('/file-systems')) console.log(name);
   */
  list<Item = unknown>(path: string, options?: DataOptions): AsyncGenerator<Item, void, undefined>;
  /**
   * Makes one call and returns the response, whatever its status. The path must be complete. In a session of a fleet, a 401 or 403 that a new
   * login does not help against is thrown as FORBIDDEN.
   *
   * @example
   * const { status, headers, body } = await fb.request({ method: 'GET', path: '/api/2.15/arrays' });
   */
  request(call: ArrayRequest, options?: RequestOptions): Promise<ArrayResponse>;
  /**
   * Returns the REST versions that the array lists. Needs no session.
   *
   * @example
   * const newest = (await fb.apiVersions()).toSorted(compareVersions).at(-1);
   */
  apiVersions(options?: CallOptions): Promise<readonly string[]>;
}

type Source = Pick<ArrayCalls, 'request' | 'apiVersions'> & {
  /** What errors are about. */
  readonly facts: ErrorFacts & { readonly array: string };
  /** REST version for paths that begin after the version. Default: the newest one that the array lists. */
  readonly version?: string | undefined;
};

export function callsOf(source: Source): ArrayCalls {
  const { facts, request, apiVersions } = source;
  let newest: string | undefined;

  async function versionOf(options: CallOptions): Promise<string> {
    const { version } = source;
    if (version !== undefined) return version;
    // Calls do not share an attempt, because each has its own time limit and signal.
    newest ??= newestOf(await apiVersions(pickCall(options)));
    return newest;
  }

  async function call<Body>(method: ArrayRequest['method'], path: string, options: ChangeOptions = {}): Promise<Body> {
    checkedCall(options, method === 'GET' ? DATA : CHANGE);
    const { query, body, ...rest } = options;
    const isComplete = typeof path !== 'string' || /^\/api\/|:\/\//.test(path);
    if (!isComplete && /^\/?\d{1,3}\.\d{1,3}(\/|$)/.test(path))
      throw invalid('path', 'must begin with /api/ if it contains a REST version');
    const pathIn = (version: string): string =>
      isComplete ? path : `/api/${version}${path.startsWith('/') ? '' : '/'}${path}`;
    const parts = { method, ...(query !== undefined && { query }), ...(body !== undefined && { body }) };
    // Find mistakes before asking the array for its versions.
    toWire({ ...parts, path: pathIn('0.0') });
    const made = { ...parts, path: pathIn(isComplete ? '' : await versionOf(rest)) };
    const response = await request(made, rest);
    if (response.status < 200 || response.status > 299) throw refused(facts, made, response);
    return response.body as Body;
  }

  async function* list<Item>(path: string, options: DataOptions = {}): AsyncGenerator<Item, void, undefined> {
    checkedCall(options, DATA);
    let query = options.query;
    for (const seen = new Set<string>(); ; ) {
      const page = await call<unknown>('GET', path, { ...options, query });
      const items = fieldOf(page, 'items');
      if (!Array.isArray(items)) throw unusable(facts, path, 'has no list of items. Use get');
      yield* items as Item[];
      const [name, token] = nextPage(page);
      if (token === undefined) return;
      if (seen.has(token)) throw unusable(facts, path, 'repeats a page');
      seen.add(token);
      query = { ...options.query, [name]: token };
    }
  }

  return {
    get: (path, options) => call('GET', path, options),
    post: (path, options) => call('POST', path, options),
    patch: (path, options) => call('PATCH', path, options),
    put: (path, options) => call('PUT', path, options),
    delete: (path, options) => call('DELETE', path, options),
    list,
    request,
    apiVersions,
  };
}

const DATA = ['query', 'exactNumbers'];
const CHANGE = [...DATA, 'body'];

/** Returns the newest of these REST versions. */
export const newestOf = (versions: readonly string[]): string => versions.toSorted(compareVersions).at(-1) ?? '';

const pickCall = ({ timeoutMs, signal }: CallOptions): CallOptions => ({ timeoutMs, signal });

/** Returns the name and value of the query parameter for the next page. REST 1 uses names of its own. */
function nextPage(page: unknown): readonly [name: string, token: string | undefined] {
  const ofRest1 = fieldOf(fieldOf(page, 'pagination_info'), 'continuation_token');
  const token = fieldOf(page, 'continuation_token') ?? ofRest1;
  const name = ofRest1 === undefined ? 'continuation_token' : 'token';
  return [name, typeof token === 'string' && token !== '' ? token : undefined];
}

function refused(facts: Source['facts'], { method, path }: ArrayRequest, response: ArrayResponse): FlashBladeError {
  const { array } = facts;
  const { status, body, headers, requestId, isInFront } = response;
  const isBusy = status === 429 || status >= 500;
  const code: keyof typeof ADVICE = isInFront
    ? 'ARRAY_UNREACHABLE'
    : isRefusal(status)
      ? 'FORBIDDEN'
      : isBusy
        ? 'ARRAY_BUSY'
        : 'CALL_REFUSED';
  const who = isInFront ? `something in front of array ${array}, such as a proxy,` : `array ${array}`;
  const why = isInFront ? undefined : reasonOf(body);
  const wait = isBusy ? retryAfterSeconds(headers, Date.now()) : undefined;
  return new FlashBladeError(
    code,
    `${who} returned ${status} for ${method} ${path}${why === undefined ? '' : `: ${why}`}. ${ADVICE[code]}`,
    { ...facts, phase: 'call', status, sent: true, requestId, ...(wait !== undefined && { retryAfterSeconds: wait }) },
  );
}

/** What to do next. */
const ADVICE = {
  ARRAY_UNREACHABLE: 'Let requests to the array through',
  FORBIDDEN: "Give the array's user permission to make this call. If the session has ended, open another one",
  ARRAY_BUSY: 'Try again later',
  CALL_REFUSED: 'Correct the path, the query or the body',
} as const;

const MAX_REASON_LENGTH = 300;

/** Returns what the array says about a refused call, in the forms that arrays use: `errors`, `error` or `message`. */
function reasonOf(body: unknown): string | undefined {
  const first = [fieldOf(body, 'errors'), fieldOf(body, 'error'), [body]].find((list) => Array.isArray(list));
  const [message, context] = ['message', 'context'].map((name) => fieldOf((first as unknown[])[0], name));
  if (typeof message !== 'string') return undefined;
  const text = typeof context === 'string' && context !== '' ? `${context}: ${message}` : message;
  return redactApiTokens(text.replace(/\p{C}+/gu, ' '))
    .slice(0, MAX_REASON_LENGTH)
    .replace(/[. ]+$/, '');
}

const unusable = (facts: Source['facts'], path: string, what: string): FlashBladeError =>
  new FlashBladeError('ANSWER_INVALID', `array ${facts.array}: the response to GET ${path} ${what}`, {
    ...facts,
    phase: 'call',
    sent: true,
  });
