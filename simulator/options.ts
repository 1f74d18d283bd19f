/** Options for a simulated FlashBlade, with their defaults. */
import { randomUUID } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { RequestRecord } from './exchange.ts';

export type SimulatedUser = {
  readonly username: string;
  /** Empty if the user has no API token. */
  readonly apiToken: string;
  /** Time at which the API token expires, in milliseconds since the epoch. Default: never. */
  readonly expiresAt?: number;
  /** The password for logins without an API token, which REST 2.26 and later support. Default: none. */
  readonly password?: string;
  /** Default: `array_admin`. Users with any other role can create and delete only their own API token. */
  readonly role?: 'array_admin' | 'readonly';
};

/** The certificate that the server presents, its private key, and the authority that clients trust, all as PEM. */
export type PresentedCertificate = {
  readonly certificate: string;
  readonly key: string;
  /** The issuing authority's certificate. Default: `certificate` itself. */
  readonly ca?: string;
};

/** Behavior that no public source documents. If your array behaves differently, change the corresponding switch. */
export type Switches = {
  /** The response status for a login with an invalid API token. Default: 401. */
  readonly refusedLoginStatus: 400 | 401 | 403;
  /** The response status for a request whose auth token has no live session. Default: 403. */
  readonly deadSessionStatus: 401 | 403;
  /** How long a session can be idle before it ends. 0 means no limit. Default: 30 minutes. */
  readonly idleTimeoutMs: number;
  /** True if each use of a session resets its idle time. If false, idle time is measured from the login. Default: true. */
  readonly useExtendsSession: boolean;
  /** How long a session can last, even if it is in use. 0 means no limit. Default: 0. */
  readonly maxSessionAgeMs: number;
  /** The maximum number of live sessions. Any further login fails with `500 Server is busy`. 0 means no limit. Default: 0. */
  readonly maxSessions: number;
  /** How many consecutive refused logins cause a lockout, during which every login is refused. 0 means no lockout. Default: 0. */
  readonly maxLoginAttempts: number;
  /** How long a lockout lasts. Default: 15 minutes. */
  readonly lockoutMs: number;
  /** What happens if an API token is created for a user who already has one. Default: `fail`. */
  readonly createExistingToken: 'fail' | 'replace';
  /** True if sessions stay open when their user's API token is deleted or replaced. Default: true. */
  readonly sessionsOutliveToken: boolean;
};

export type OnRequest = (phase: 'received' | 'done', request: RequestRecord) => Promise<void> | void;

export type SimulatorOptions = Partial<Switches> & {
  /** The array name. Default: `fb1`. */
  readonly name?: string;
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** The port to listen on. Default: 0, which selects any free port. */
  readonly port?: number;
  /** Default: `pureuser` with a random API token. */
  readonly users?: readonly SimulatedUser[];
  /** Creates the auth token for a new session. Default: a random UUID. */
  readonly newAuthToken?: () => string;
  /** The REST versions that the array supports. Default: `DEFAULT_VERSIONS`. */
  readonly versions?: readonly string[];
  /** The array's clock, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
  /** Default: `authority`, a certificate from a new authority created for this array. */
  readonly certificate?: PresentedCertificate | 'authority' | 'self-signed';
  /** 48 bytes that encrypt TLS session tickets. Servers with the same keys can resume each other's TLS sessions. Default: random. */
  readonly ticketKeys?: Buffer;
  readonly minTlsVersion?: SecureVersion;
  readonly maxTlsVersion?: SecureVersion;
  /** How long an idle connection stays open. Default: 75 seconds. */
  readonly keepAliveMs?: number;
  /** Called twice for each request: before the array acts on it, and again before the array responds. The array waits for each call. */
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

/** REST 1.0 to 2.26, in the order that an array returns them. */
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
