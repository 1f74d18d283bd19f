/** The reports that the library writes, one for each login, logout or other notable event. A report never contains a token. */

/** Every event and its log level. Most events are also metrics with the same name. */
export const EVENTS = {
  LoginSucceeded: 'info',
  LoginFailed: 'warn',
  LogoutSucceeded: 'info',
  LogoutFailed: 'warn',
  RenewalFailed: 'warn',
  InvocationFailed: 'warn',
  LeaseServed: 'info',
  LeaseStuck: 'error',
  LeaseAltered: 'error',
  SuspectRecorded: 'error',
  LedgerWriteFailed: 'error',
  StaleSecretServed: 'warn',
  MessageFailed: 'warn',
  RequestDelayed: 'warn',
  RequestOutdated: 'info',
  EventIgnored: 'info',
  SweepDone: 'info',
  SweepFailed: 'error',
  ArrayCounted: 'info',
  ArrayChecked: 'info',
  ArrayWarned: 'warn',
  ArrayUnhealthy: 'error',
  ArrayNotChecked: 'warn',
  ArrayRemoved: 'info',
  SecretsIgnored: 'info',
  FleetChecked: 'info',
} as const satisfies Record<string, 'info' | 'warn' | 'error'>;

/** What a report is about, such as `LogoutFailed`. */
export type EventName = keyof typeof EVENTS;

/**
 * Where a metric is published. CloudWatch charges for each combination of name and dimensions.
 * - `fleet`: for the fleet only, even if the report is about an array.
 * - `array`: per array only.
 * - `each`: per array if the report is about an array, otherwise for the fleet. The fleet has its own report, so publishing an array's
 *   value for the fleet would count that value twice.
 * - `all`: for the fleet, and also per array if the report is about an array.
 */
export type Where = 'fleet' | 'array' | 'each' | 'all';

/** Every measurement that a report can contain, with its unit and where it is published. */
export const GAUGES = {
  LiveLeases: ['Count', 'each'],
  StuckLeases: ['Count', 'each'],
  Suspects: ['Count', 'each'],
  ExpiredLeases: ['Count', 'fleet'],
  ClosedBySweep: ['Count', 'fleet'],
  LeftBySweep: ['Count', 'fleet'],
  OldestDueAge: ['Seconds', 'fleet'],
  ArrayHealthy: ['Count', 'array'],
  // Alarms watch the fleet-wide minimum of these two gauges, which appear only in array reports.
  CertificateDays: ['None', 'all'],
  ApiTokenDays: ['None', 'all'],
  UnknownSessions: ['Count', 'each'],
  HealthyArrays: ['Count', 'fleet'],
  UnhealthyArrays: ['Count', 'fleet'],
  UncheckedArrays: ['Count', 'fleet'],
} as const satisfies Record<string, readonly [unit: 'Count' | 'Seconds' | 'None', where: Where]>;

/** The name of a measurement. */
export type GaugeName = keyof typeof GAUGES;

/** One notable event, such as a login or a failed logout. Never contains a token, so it is safe to log. */
export interface Report {
  readonly event: EventName;
  /** For people. Can change between versions. */
  readonly message: string;
  readonly leaseId?: string | undefined;
  readonly array?: string | undefined;
  readonly owner?: string | undefined;
  /** Id of the EventBridge event that caused the report. */
  readonly eventId?: string | undefined;
  readonly secretVersionId?: string | undefined;
  /** The call's `X-Request-ID`. For a login, the attempt id. */
  readonly requestId?: string | undefined;
  /** The error code of a failure. */
  readonly code?: string | undefined;
  /** HTTP status of the array's response. */
  readonly status?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly gauges?: Readonly<Partial<Record<GaugeName, number>>>;
}

export type Reporter = (report: Report) => void;
