/** One error class; callers branch on the code, people read the message, operators find the code in the README. */

/** Every code, and whether the same call may succeed later without anybody changing anything. */
export const ERROR_CODES = {
  CONFIG_INVALID: { retryable: false },
  REQUEST_INVALID: { retryable: false },
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
  LEASE_OPENING: { retryable: true },
  LEASE_CONFLICT: { retryable: false },
  LEASE_UNKNOWN: { retryable: false },
  LEASE_ENDED: { retryable: false },
  LEASE_LIMIT: { retryable: true },
  LEASE_ALTERED: { retryable: false },
  AWS_UNAVAILABLE: { retryable: true },
  OUT_OF_TIME: { retryable: true },
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts about a failure that are safe to log. */
export type ErrorFacts = {
  /** HTTP status that the array answered. */
  readonly status?: number;
  /** The request, or part of it, may have reached the array. Absent: it did not. */
  readonly sent?: boolean;
  /** Out of a login: the array may hold a session that nobody knows the auth token of. */
  readonly mayHaveOpened?: boolean;
  /** Out of a request: its owner had ended before. */
  readonly ownerEnded?: boolean;
  /** Seconds after which the array wants to be asked again. */
  readonly retryAfterSeconds?: number;
};

/**
 * The one error that this product throws. `name` equals `code`, so that Step Functions' `Retry` and `Catch` match it.
 * It never has a `cause`: what libraries throw may quote a header, and so a token.
 */
export class FlashBladeError extends Error {
  readonly code: ErrorCode;
  /** The code again: Lambda's own log line says this, or else the name of the class, which the bundler shortens. */
  readonly errorType: ErrorCode;
  readonly retryable: boolean;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.errorType = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.facts = facts;
  }
}

export const isFlashBladeError = (error: unknown, ...codes: ErrorCode[]): error is FlashBladeError =>
  error instanceof FlashBladeError && (codes.length === 0 || codes.includes(error.code));

/** The same error, with more facts. */
export function withFacts(error: FlashBladeError, facts: ErrorFacts): FlashBladeError {
  const told = new FlashBladeError(error.code, error.message, { ...error.facts, ...facts });
  if (error.stack !== undefined) told.stack = error.stack;
  return told;
}

/**
 * The error itself if it is one of ours; else INTERNAL, with its class and the places in the code but not its message, which may
 * quote anything. An unknown error out of a login counts as a session that may exist.
 */
export function known(error: unknown): FlashBladeError {
  if (error instanceof FlashBladeError) return error;
  const name = error instanceof Error && /^[A-Za-z]{1,80}$/.test(error.name) ? error.name : 'error';
  const internal = new FlashBladeError('INTERNAL', `an unexpected ${name}: please report it with its stack`, {
    mayHaveOpened: true,
  });
  // Without the message, which may look like a stack itself.
  const places = error instanceof Error ? error.stack?.replace(error.message, '').match(/^ {4}at .*$/gm) : undefined;
  if (places) internal.stack = [`INTERNAL: ${internal.message}`, ...places].join('\n');
  return internal;
}
