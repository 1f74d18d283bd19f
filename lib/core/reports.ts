/** What the library reports: one line per login, logout and noteworthy event. A report never contains a token. */

/** Every event and its log level. Most are also metrics of the same name. */
export const EVENTS = {
  LoginSucceeded: 'info',
  LoginFailed: 'warn',
  LogoutSucceeded: 'info',
  LogoutFailed: 'warn',
  InvocationFailed: 'warn',
  LeaseServed: 'info',
  LeaseStuck: 'error',
  LeaseAltered: 'error',
  SuspectRecorded: 'error',
  LedgerWriteFailed: 'error',
  StaleSecretServed: 'warn',
  MessageFailed: 'warn',
  RequestOutdated: 'info',
  SweepDone: 'info',
  SweepFailed: 'error',
  ArrayCounted: 'info',
  ArrayChecked: 'info',
  ArrayWarned: 'warn',
  ArrayUnhealthy: 'error',
  FleetChecked: 'info',
} as const satisfies Record<string, 'info' | 'warn' | 'error'>;

export type EventName = keyof typeof EVENTS;

/** Every other measurement and its unit. */
export const GAUGES = {
  LiveLeases: 'Count',
  StuckLeases: 'Count',
  Suspects: 'Count',
  ExpiredLeases: 'Count',
  ClosedBySweep: 'Count',
  LeftBySweep: 'Count',
  OldestDueAge: 'Seconds',
  ArrayHealthy: 'Count',
  CertificateDays: 'None',
  ApiTokenDays: 'None',
  UnknownSessions: 'Count',
  HealthyArrays: 'Count',
  UnhealthyArrays: 'Count',
} as const satisfies Record<string, 'Count' | 'Seconds' | 'None'>;

export type GaugeName = keyof typeof GAUGES;

export type Report = {
  readonly event: EventName;
  readonly message: string;
  readonly leaseId?: string | undefined;
  readonly array?: string | undefined;
  readonly owner?: string | undefined;
  /** Id of the EventBridge event that requested it. */
  readonly eventId?: string | undefined;
  readonly secretVersionId?: string | undefined;
  /** `X-Request-ID` of the call. For a login, the attempt's id. */
  readonly requestId?: string | undefined;
  readonly code?: string | undefined;
  /** HTTP status of the array's response. */
  readonly status?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly gauges?: Readonly<Partial<Record<GaugeName, number>>>;
};

export type Reporter = (report: Report) => void;
