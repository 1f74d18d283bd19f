/** The options of a simulated FlashBlade, and their defaults. */
import { randomUUID } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { RequestRecord } from './exchange.ts';

export type SimulatedUser = {
  readonly username: string;
  /** If empty, the user has no API token. */
  readonly apiToken: string;
  /** When the API token expires, in milliseconds since the epoch. Default: never. */
  readonly expiresAt?: number;
  /** For a login with username and password, REST 2.26 and later. Default: none. */
  readonly password?: string;
  /** Default: `array_admin`. Other roles can create and delete only their own API token. */
  readonly role?: 'array_admin' | 'readonly';
};

/** The certificate that the server presents, its key, and the authority that clients trust. All are PEM strings. */
export type PresentedCertificate = {
  readonly certificate: string;
  readonly key: string;
  /** The authority that issued it. Default: the certificate itself. */
  readonly ca?: string;
};

/** Behavior that no public source documents. If you observe something else on a real array, change the switch. */
export type Switches = {
  /** The status of a login with an invalid API token. Default: 401. */
  readonly refusedLoginStatus: 400 | 401 | 403;
  /** The status of every request with an auth token that has no live session. Default: 403. */
  readonly deadSessionStatus: 401 | 403;
  /** A session ends after this idle time. 0: never. Default: 30 minutes. */
  readonly idleTimeoutMs: number;
  /** Every use of a session extends it. If false, the idle time counts from the login. Default: true. */
  readonly useExtendsSession: boolean;
  /** A session ends this long after its login, even if it is in use. 0: never. Default: 0. */
  readonly maxSessionAgeMs: number;
  /** The maximum number of live sessions. Further logins get `500 Server is busy`. 0: no limit. Default: 0. */
  readonly maxSessions: number;
  /** After this many consecutive refused logins, every login is refused for `lockoutMs`. 0: never. Default: 0. */
  readonly maxLoginAttempts: number;
  /** Default: 15 minutes. */
  readonly lockoutMs: number;
  /** What happens if an API token is created for a user who has one. Default: `fail`. */
  readonly createExistingToken: 'fail' | 'replace';
  /** Sessions stay open when the API token of their user is deleted or replaced. Default: true. */
  readonly sessionsOutliveToken: boolean;
};

export type OnRequest = (phase: 'received' | 'done', request: RequestRecord) => Promise<void> | void;

export type SimulatorOptions = Partial<Switches> & {
  /** The array name. Default: `fb1`. */
  readonly name?: string;
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: `pureuser` with a random API token. */
  readonly users?: readonly SimulatedUser[];
  /** Creates the auth token of a session. Default: a random UUID. */
  readonly newAuthToken?: () => string;
  /** The REST versions that the array serves. Default: `DEFAULT_VERSIONS`. */
  readonly versions?: readonly string[];
  /** The array's clock, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
  /** Default: `authority`, a certificate from a new authority for this array. */
  readonly certificate?: PresentedCertificate | 'authority' | 'self-signed';
  /** 48 bytes that encrypt TLS session tickets. Servers with equal keys resume each other's sessions. Default: random. */
  readonly ticketKeys?: Buffer;
  readonly minTlsVersion?: SecureVersion;
  readonly maxTlsVersion?: SecureVersion;
  /** An idle connection is closed after this time. Default: 75 seconds. */
  readonly keepAliveMs?: number;
  /** Called before the array acts on a request, and again after it acts but before it responds. The array waits for it. */
  readonly onRequest?: OnRequest;
};

export type Settings = Switches & {
  readonly name: string;
  readonly versions: readonly string[];
  readonly now: () => number;
  readonly newAuthToken: () => string;
};

const MINUTE_MS = 60_000;

const DEFAULT_SWITCHES: Switches = {
  refusedLoginStatus: 401,
  deadSessionStatus: 403,
  idleTimeoutMs: 30 * MINUTE_MS,
  useExtendsSession: true,
  maxSessionAgeMs: 0,
  maxSessions: 0,
  maxLoginAttempts: 0,
  lockoutMs: 15 * MINUTE_MS,
  createExistingToken: 'fail',
  sessionsOutliveToken: true,
};

const numbered = (major: number, last: number) => Array.from({ length: last + 1 }, (_, minor) => `${major}.${minor}`);

/** REST 1.0 to 2.26, in the order in which an array returns them. */
export const DEFAULT_VERSIONS: readonly string[] = [
  ...numbered(1, 8),
  '1.8.1',
  ...numbered(1, 12).slice(9),
  ...numbered(2, 26),
];

export const randomApiToken = (): string => `T-${randomUUID()}`;

export const defaultUsers = (): readonly SimulatedUser[] => [{ username: 'pureuser', apiToken: randomApiToken() }];

export const settingsOf = (options: SimulatorOptions): Settings => ({
  name: 'fb1',
  versions: DEFAULT_VERSIONS,
  now: Date.now,
  newAuthToken: randomUUID,
  ...DEFAULT_SWITCHES,
  ...options,
});
