/** The error class and its codes. Callers branch on the code, people read the message, and docs/errors.md explains each code. */

/** What a program can know about an error from its code alone. */
export interface ErrorCodeFacts {
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
}

const CODES = {
  CONFIG_INVALID: { retryable: false },
  REQUEST_INVALID: { retryable: false },
  REQUEST_EXPIRED: { retryable: false },
  ARRAY_UNKNOWN: { retryable: false },
  SECRET_INVALID: { retryable: false },
  SECRET_UNAVAILABLE: { retryable: true },
  ARRAY_UNREACHABLE: { retryable: true },
  ARRAY_UNTRUSTED: { retryable: false },
  ARRAY_BUSY: { retryable: true },
  ARRAY_UNSUPPORTED: { retryable: false },
  LOGIN_REFUSED: { retryable: false },
  LOGIN_UNKNOWN: { retryable: true },
  ANSWER_INVALID: { retryable: false },
  FORBIDDEN: { retryable: false },
  CALL_REFUSED: { retryable: false },
  LEASE_OPENING: { retryable: true },
  LEASE_CONFLICT: { retryable: false },
  LEASE_UNKNOWN: { retryable: false },
  LEASE_ENDED: { retryable: false },
  LEASE_LIMIT: { retryable: true },
  LEASE_ALTERED: { retryable: false },
  AWS_UNAVAILABLE: { retryable: true },
  OUT_OF_TIME: { retryable: true },
  INTERNAL: { retryable: false },
} as const satisfies Record<string, ErrorCodeFacts>;

/** The code of a `FlashBladeError`. docs/errors.md explains each one, and what to do about it. */
export type ErrorCode = keyof typeof CODES;

/** The facts of every error code. */
export type ErrorCodes = { readonly [Code in ErrorCode]: ErrorCodeFacts };

/**
 * Every error code, and whether it is retryable.
 *
 * @example
 * const retryable = Object.entries(ERROR_CODES).flatMap(([code, { retryable }]) => (retryable ? [code] : []));
 */
export const ERROR_CODES: ErrorCodes = CODES;

/** Failure details that are safe to log. A fact that is unknown or does not apply is absent. */
export interface ErrorFacts {
  /** HTTP status of the array's response. */
  readonly status?: number;
  /** True if the request, or part of it, may have reached the array. Absent means false. */
  readonly sent?: boolean;
  /** Set after a failed login. True if the array may have a session whose auth token is lost. */
  readonly mayHaveOpened?: boolean;
  /** Set after a failed request to open a session. True if the owner had already ended. */
  readonly ownerEnded?: boolean;
  /** Name of the array that the call was about. */
  readonly array?: string;
  /** Id of the lease that the call was about. */
  readonly leaseId?: string;
  /** The `X-Request-ID` of the request that failed. The array's audit log may contain it. */
  readonly requestId?: string;
  /** What failed: opening a session, or beginning to use its lease, a call in the session, renewing its lease, or closing it. */
  readonly phase?: 'open' | 'call' | 'renew' | 'close';
  /** Set if AWS denied access to a resource, or a resource or its key is missing. The call fails until someone changes that. */
  readonly denied?: boolean;
  /** Set with ARRAY_UNKNOWN if the array's secret was deleted. Absent if the secret exists but has no current version. */
  readonly secretDeleted?: boolean;
  /** How long the array asks clients to wait. */
  readonly retryAfterSeconds?: number;
}

/**
 * The only error class that this product throws. `name` equals `code`, so that `Retry` and `Catch` in Step Functions can match the code.
 * The error never has a `cause`, because errors from other libraries can quote a header that contains a token. The message is for people and
 * can change. To recognize an error, use `isFlashBladeError`, which also knows the errors of another installed copy of this library.
 *
 * @example
 * const busy = new FlashBladeError('ARRAY_BUSY', 'array fb1 is busy', { retryAfterSeconds: 10 });
 * console.log(busy.code, busy.retryable, busy.facts.retryAfterSeconds);
 */
export class FlashBladeError extends Error {
  /** Branch on this. */
  readonly code: ErrorCode;
  /**
   * Same as `code`. Lambda's own log line shows this field. Without it, the log line would show the class name, which the bundler
   * shortens.
   */
  readonly errorType: ErrorCode;
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
  /** Details that are safe to log, such as the array and the HTTP status. */
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message);
    if (!Object.hasOwn(ERROR_CODES, code))
      throw new FlashBladeError('REQUEST_INVALID', 'the code of a FlashBladeError must be one of ERROR_CODES');
    this.name = code;
    this.code = code;
    this.errorType = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.facts = facts;
  }
}

/** Marks the errors of every installed copy of this library, because `instanceof` recognizes only one copy's. */
const BRAND = Symbol.for('flashblade-sessions.FlashBladeError');
Object.defineProperty(FlashBladeError.prototype, BRAND, { value: true });

/**
 * Returns true for a FlashBladeError, also one from another installed copy of this library. If `codes` are given, the error's code must be
 * one of them, and TypeScript narrows `error.code` to them.
 *
 * @example
 * try {
 *   await fleet.withSession('fb1', (fb) => fb.get('/no-such-thing'));
 * } catch (error) {
 *   if (!isFlashBladeError(error, 'CALL_REFUSED')) throw error;
 *   console.log(error.facts.status);
 * }
 */
export const isFlashBladeError = <Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is FlashBladeError & { readonly code: Code } =>
  error instanceof Error &&
  BRAND in error &&
  (codes.length === 0 || codes.some((code) => code === Reflect.get(error, 'code')));

export function withFacts(error: FlashBladeError, facts: ErrorFacts): FlashBladeError {
  const copy = new FlashBladeError(error.code, error.message, { ...error.facts, ...facts });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * Adds facts that the error does not have yet. Returns errors of other kinds, and the reasons of these signals, unchanged. So is an error of
 * another installed copy whose code this copy does not know.
 */
export const about = (error: unknown, facts: ErrorFacts, ...signals: readonly (AbortSignal | undefined)[]): unknown =>
  isFlashBladeError(error) &&
  Object.hasOwn(ERROR_CODES, error.code) &&
  !signals.some((signal) => signal?.aborted && signal.reason === error)
    ? withFacts(error, { ...facts, ...error.facts })
    : error;

/**
 * Returns a FlashBladeError unchanged. Converts any other error to INTERNAL, keeping its class name and stack frames but not its message,
 * which can quote anything. Sets `mayHaveOpened`, because after an unknown error, the array may have a session.
 */
export function known(error: unknown): FlashBladeError {
  if (isFlashBladeError(error)) return error;
  const name = error instanceof Error && /^[A-Za-z]{1,80}$/.test(error.name) ? error.name : 'error';
  const internal = new FlashBladeError(
    'INTERNAL',
    `unexpected ${name}. This is probably a bug. Please report it with the stack trace`,
    { mayHaveOpened: true },
  );
  // Remove the message first, because it can contain lines that look like stack frames.
  const frames = error instanceof Error ? error.stack?.replace(error.message, '').match(/^ {4}at .*$/gm) : undefined;
  if (frames) internal.stack = [`INTERNAL: ${internal.message}`, ...frames].join('\n');
  return internal;
}
