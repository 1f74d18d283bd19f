/** Checks one array: certificate, REST versions, login, facts and logout. The check's session has a lease, like any other session. */
import { CLOSING_MS, seconds } from '../core/deadlines.ts';
import { type ErrorCode, type FlashBladeError, known } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import { redact, redactApiTokens, type Tokens } from '../core/redact.ts';
import { closeSession } from '../leases/close.ts';
import { openSession } from '../leases/open.ts';
import type { Ports } from '../leases/ports.ts';
import { DEFAULT_LEASE_SECONDS } from '../leases/requests.ts';
import { unsealLease } from '../leases/session.ts';
import { readFacts } from './array-facts.ts';
import { compareSessions, type Snapshot } from './compare-sessions.ts';

/**
 * The time limit for checking one array. Keeps a slow array from using up the other arrays' time. With less time, a slow array would appear to
 * be down, so a check that has less does not begin.
 */
export const ARRAY_MS = 40_000;
/**
 * The duration of a check's lease, which is longer than any check. If the process dies, the sweeper closes the session once the lease ends.
 */
const LEASE_SECONDS = 120;

const CERTIFICATE_WARNING_DAYS = 30;
const API_TOKEN_WARNING_DAYS = 14;
const DAY_SECONDS = 86_400;

/** The result for one array. Day counts are rounded down. They are absent if no expiry is known. */
export type ArrayReport = {
  readonly array: string;
  readonly state: ArrayState;
  /** Absent if the array is healthy. */
  readonly failure?: { readonly code: ErrorCode; readonly reason: string };
  readonly warnings: readonly string[];
  readonly certificateDays?: number;
  readonly apiTokenDays?: number;
  readonly unknownSessions?: number;
};

/**
 * - `unhealthy`: no session could be opened, used and closed, because of the array or its secret.
 * - `not checked`: this process could not do its part, so nothing is known about the array. The next check may succeed.
 * - `removed`: the array's secret was deleted.
 */
type ArrayState = 'healthy' | 'unhealthy' | 'not checked' | 'removed';

type Measured = Omit<ArrayReport, 'array' | 'state' | 'failure' | 'warnings'>;
type Note = (measured: Measured, ...warnings: readonly string[]) => void;

/**
 * Checks an array. Never throws. A failure becomes part of the report. Finishes at least half a second before `deadline` (epoch
 * milliseconds).
 */
export async function checkArray(
  ports: Ports,
  array: string,
  snapshot: Snapshot,
  deadline: number,
): Promise<ArrayReport> {
  const warnings: string[] = [];
  let measured: Measured = {};
  let tokens: Tokens = [];
  // Text from an array may contain any token that the array has ever received.
  const clean = (text: string): string => redactApiTokens(redact(text, tokens));
  const note: Note = (more, ...texts) => {
    measured = { ...measured, ...more };
    warnings.push(...texts.map(clean));
  };
  try {
    const endsAt = Math.min(ports.now() + ARRAY_MS, deadline);
    const by = endsAt - CLOSING_MS;
    const secret = await ports.secrets.read(array, { by });
    tokens = [secret.apiToken];
    await checkSession(ports, secret.array, snapshot, { by, endsAt }, note);
    return { array, state: 'healthy', warnings, ...measured };
  } catch (thrown) {
    const error = known(thrown);
    const failure = { code: error.code, reason: clean(error.message) };
    return { array, state: stateAfter(error), failure, warnings, ...measured };
  }
}

/** The codes of failures that say nothing about the array. With LEASE_ENDED, another program closed the check's lease. */
const OURS: readonly ErrorCode[] = ['OUT_OF_TIME', 'AWS_UNAVAILABLE', 'LEASE_ENDED'];

/**
 * A secret that AWS denies is the array's problem, because no function can log in until someone changes the secret or its key. So is a
 * response that takes too long, which is ARRAY_UNREACHABLE.
 */
function stateAfter({ code, facts }: FlashBladeError): ArrayState {
  if (OURS.includes(code)) return 'not checked';
  if (code === 'SECRET_UNAVAILABLE' && !facts.denied) return 'not checked';
  if (code === 'ARRAY_UNKNOWN' && facts.secretDeleted) return 'removed';
  return 'unhealthy';
}

async function checkSession(
  ports: Ports,
  array: FlashBlade,
  snapshot: Snapshot,
  { by, endsAt }: { by: number; endsAt: number },
  note: Note,
): Promise<void> {
  const { name } = array;
  const daysUntil = (time: number): number => Math.floor((time - ports.now() / 1000) / DAY_SECONDS);
  const served = await ports.flashblade.apiVersions(array, { deadline: by, requestId: ports.newId() });
  if (served.certificateEndsAt !== undefined) {
    const certificateDays = daysUntil(served.certificateEndsAt.getTime() / 1000);
    note({ certificateDays }, ...certificateWarnings(certificateDays));
  }

  // Do not use the invocation id. Lambda reuses it when it retries, but the lease with that id would already have ended.
  const leaseId = `check:${name}:${ports.newId()}`;
  const loggedInAt = seconds(ports.now());
  await openSession(ports, { array: name, leaseId, leaseSeconds: LEASE_SECONDS }, by);
  let failure: FlashBladeError | undefined;
  try {
    const { session } = await unsealLease(ports, leaseId, by);
    const { username } = session;
    const listedAt = seconds(ports.now());
    const { warnings, idleSeconds, tokenEndsAt, sessions } = await readFacts(ports, session, served.data, by);
    note({}, ...warnings);
    if (idleSeconds !== undefined) note({}, ...idleWarnings(idleSeconds, ports.limits.arrayIdleSeconds));
    if (tokenEndsAt !== undefined) {
      const apiTokenDays = daysUntil(tokenEndsAt);
      note({ apiTokenDays }, ...apiTokenWarnings(apiTokenDays, username));
    }
    if (sessions !== undefined) {
      const list = { array, username, sessions, loggedInAt, listedAt };
      const compared = await compareSessions(ports, snapshot, list, by);
      note(compared.unknown === undefined ? {} : { unknownSessions: compared.unknown }, ...compared.warnings);
    }
  } catch (error) {
    failure = known(error);
  }
  try {
    await closeSession(ports, leaseId, endsAt);
  } catch (error) {
    // A failure to close the session is logged, but must not hide an earlier failure. The sweeper keeps trying to close the lease.
    failure ??= known(error);
  }
  if (failure !== undefined) throw failure;
}

// Each function below returns the problems that an operator must fix, or an empty list if there are none.

/** Formats an expiry, such as `expires in 1 day`. */
const expires = (days: number): string => (days < 0 ? 'has expired' : `expires in ${days} day${days === 1 ? '' : 's'}`);

export const certificateWarnings = (days: number): string[] =>
  days < CERTIFICATE_WARNING_DAYS
    ? [
        `the array's certificate, or a CA certificate in its chain, ${expires(days)}. Renew the certificate. If the secret trusts fingerprints or a private CA, first add the new fingerprint or CA to the secret`,
      ]
    : [];

export const apiTokenWarnings = (days: number, username: string): string[] =>
  days < API_TOKEN_WARNING_DAYS
    ? [`the API token for user ${username} ${expires(days)}. Create a new token and store it in the secret`]
    : [];

/** `idleSeconds` is the array's own idle timeout (0 = never). `configured` is the timeout assumed for every array (ARRAY_IDLE_SECONDS). */
export function idleWarnings(idleSeconds: number, configured: number): string[] {
  if (idleSeconds === 0) {
    return ['the idle timeout is 0 (never), so a session that cannot be closed stays open. Set an idle timeout'];
  }
  const fact = `the idle timeout is ${idleSeconds} s`;
  if (idleSeconds < DEFAULT_LEASE_SECONDS) {
    return [
      `${fact}, which is shorter than the default lease, so a session may end before its lease does. Set a longer timeout`,
    ];
  }
  if (idleSeconds <= configured) return [];
  return [
    `${fact}, but ARRAY_IDLE_SECONDS is ${configured}. Set ARRAY_IDLE_SECONDS to the longest idle timeout in the fleet`,
  ];
}
