/** What can be set when a simulated FlashBlade starts, and what holds when nothing is. */
import { randomUUID } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { RequestRecord } from './exchange.ts';

export type SimulatedUser = {
  readonly username: string;
  /** Empty: the user has no API token. */
  readonly apiToken: string;
  /** When the API token ends, in milliseconds since the epoch. Default never. */
  readonly expiresAt?: number;
  /** For the login with a body, REST 2.26 and later. Default none. */
  readonly password?: string;
  /** Default `array_admin`. Others may only create and delete their own API token. */
  readonly role?: 'array_admin' | 'readonly';
};

/** What a client must trust and the server presents, as PEM texts. */
export type PresentedCertificate = {
  readonly certificate: string;
  readonly key: string;
  /** The authority that issued it. Default: the certificate itself. */
  readonly ca?: string;
};

/** Everything about an array that no public source establishes: a real answer changes one of these values. */
export type Switches = {
  /** Status of a login with an API token that the array does not accept. Default 401. */
  readonly refusedLoginStatus: 400 | 401 | 403;
  /** Status of every use of an auth token that belongs to no session. Default 403. */
  readonly deadSessionStatus: 401 | 403;
  /** A session ends after so much idleness, in milliseconds; 0 = never. Default 30 minutes. */
  readonly idleTimeoutMs: number;
  /** Every use of a session extends it. Default true. If false, idleness is counted from the login. */
  readonly useExtendsSession: boolean;
  /** A session ends so long after its login, used or not, in milliseconds; 0 = never, the default. */
  readonly maxSessionAgeMs: number;
  /** With so many live sessions a login is answered `500 Server is busy`; 0 = no limit, the default. */
  readonly maxSessions: number;
  /** After so many refused logins in a row every login is refused for `lockoutMs`; 0 = never, the default. */
  readonly maxLoginAttempts: number;
  /** Default 15 minutes, in milliseconds. */
  readonly lockoutMs: number;
  /** What creating an API token does if the user has one. Default `fail`. */
  readonly createExistingToken: 'fail' | 'replace';
  /** Sessions go on when the API token that opened them is deleted or replaced. Default true. */
  readonly sessionsOutliveToken: boolean;
};

export type OnRequest = (phase: 'received' | 'done', request: RequestRecord) => Promise<void> | void;

export type SimulatorOptions = Partial<Switches> & {
  /** Default `fb1`. */
  readonly name?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: `pureuser` with a random API token. */
  readonly users?: readonly SimulatedUser[];
  /** Makes the auth token of a session. Default a random UUID. */
  readonly newAuthToken?: () => string;
  /** REST versions that the array serves. Default `DEFAULT_VERSIONS`. */
  readonly versions?: readonly string[];
  /** The array's clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Default `authority`: issued by an authority that is made for this array. */
  readonly certificate?: PresentedCertificate | 'authority' | 'self-signed';
  /** 48 bytes that seal TLS session tickets: equal ones make two servers resume each other's sessions. Default random. */
  readonly ticketKeys?: Buffer;
  readonly minTlsVersion?: SecureVersion;
  readonly maxTlsVersion?: SecureVersion;
  /** An idle connection is closed after so long, in milliseconds. Default 75 seconds. */
  readonly keepAliveMs?: number;
  /** Called before the array acts on a request, and after it acted but before the answer leaves. The array waits for it. */
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

/** REST 1.0 to 2.26, in the order in which an array tells them. */
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
