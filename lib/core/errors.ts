/** The error class and its codes. Callers branch on the code, people read the message, and docs/errors.md explains each code. */

/** Every error code. Retryable means that the same call may succeed later. */
export const ERROR_CODES = {
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

/** Failure details that are safe to log. */
export type ErrorFacts = {
  /** HTTP status of the array's response. */
  readonly status?: number;
  /** True if the request, or part of it, may have reached the array. Absent means false. */
  readonly sent?: boolean;
  /** Set after a failed login. True if the array may have a session whose auth token is lost. */
  readonly mayHaveOpened?: boolean;
  /** Set after a failed request to open a session. True if the owner had already ended. */
  readonly ownerEnded?: boolean;
  /** Set if AWS denied access to a resource, or a resource or its key is missing. The call fails until someone changes that. */
  readonly denied?: boolean;
  /** Set with ARRAY_UNKNOWN if the array's secret was deleted. Absent if the secret exists but has no current version. */
  readonly secretDeleted?: boolean;
  /** How long the array asks clients to wait. */
  readonly retryAfterSeconds?: number;
};

/**
 * The only error class that this product throws. `name` equals `code`, so that `Retry` and `Catch` in Step Functions can match the code.
 * The error never has a `cause`, because errors from other libraries can quote a header that contains a token.
 */
export class FlashBladeError extends Error {
  readonly code: ErrorCode;
  /**
   * Same as `code`. Lambda's own log line shows this field. Without it, the log line would show the class name, which the bundler
   * shortens.
   */
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

/** Returns true for a FlashBladeError. If `codes` are given, the error's code must be one of them. */
export const isFlashBladeError = (error: unknown, ...codes: ErrorCode[]): error is FlashBladeError =>
  error instanceof FlashBladeError && (codes.length === 0 || codes.includes(error.code));

export function withFacts(error: FlashBladeError, facts: ErrorFacts): FlashBladeError {
  const copy = new FlashBladeError(error.code, error.message, { ...error.facts, ...facts });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * Returns a FlashBladeError unchanged. Converts any other error to INTERNAL, keeping its class name and stack frames but not its message,
 * which can quote anything. Sets `mayHaveOpened`, because after an unknown error, the array may have a session.
 */
export function known(error: unknown): FlashBladeError {
  if (error instanceof FlashBladeError) return error;
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
