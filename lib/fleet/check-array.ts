/** Checks one array: trust, REST versions, login, facts, logout. Its session has a lease like any other. */
import { CLOSING_MS, outOfTime, seconds } from '../core/deadlines.ts';
import { type FlashBladeError, known } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import { redact, redactApiTokens, type Tokens } from '../core/redact.ts';
import { closeSession } from '../leases/close.ts';
import { openSession } from '../leases/open.ts';
import type { Ports } from '../leases/ports.ts';
import { unsealLease } from '../leases/session.ts';
import { type ArrayFacts, readFacts } from './array-facts.ts';
import { type Comparison, compareSessions, type Snapshot } from './compare-sessions.ts';
import { apiTokenWarnings, certificateWarnings, idleWarnings } from './warnings.ts';

/** A check takes no longer than this, so that a slow array does not use up the time of the others. */
const ARRAY_MS = 40_000;
/** A check does not begin with less before closing: an array that is only slow would seem to be down. */
const NEEDED_MS = 15_000;
/** Longer than a check. If the process dies, the sweeper closes the session after this. */
const LEASE_SECONDS = 120;

const DAY_SECONDS = 86_400;

/** The result for one array. Days are rounded down, and absent if unknown or if there is no end. */
export type ArrayReport = {
  readonly array: string;
  /** Absent if the array is healthy. */
  readonly fault?: { readonly code: string; readonly reason: string };
  readonly warnings: readonly string[];
  readonly certificateDays?: number;
  readonly apiTokenDays?: number;
  readonly unknownSessions?: number;
};

type Measured = Omit<ArrayReport, 'array' | 'fault' | 'warnings'>;
type Note = (measured: Measured, ...warnings: readonly string[]) => void;

/** Checks an array. Never throws: a failure becomes the report's fault. Ends half a second before `deadline` (epoch milliseconds). */
export async function checkArray(
  ports: Ports,
  array: string,
  snapshot: Snapshot,
  deadline: number,
): Promise<ArrayReport> {
  const warnings: string[] = [];
  let measured: Measured = {};
  let tokens: Tokens = [];
  // What an array presents may contain any token that it has ever seen.
  const clean = (text: string): string => redactApiTokens(redact(text, tokens));
  const note: Note = (more, ...texts) => {
    measured = { ...measured, ...more };
    warnings.push(...texts.map(clean));
  };
  try {
    const endsAt = Math.min(ports.now() + ARRAY_MS, deadline);
    const by = endsAt - CLOSING_MS;
    if (by - ports.now() < NEEDED_MS) throw outOfTime(`check array ${array}`);
    const secret = await ports.secrets.read(array, { by });
    tokens = [secret.apiToken];
    await checkSession(ports, secret.array, snapshot, { by, endsAt }, note);
    return { array, warnings, ...measured };
  } catch (error) {
    const { code, message } = known(error);
    return { array, fault: { code, reason: clean(message) }, warnings, ...measured };
  }
}

async function checkSession(
  ports: Ports,
  array: FlashBlade,
  snapshot: Snapshot,
  { by, endsAt }: { by: number; endsAt: number },
  note: Note,
): Promise<void> {
  const { name } = array;
  const versions = await ports.flashblade.apiVersions(array, { deadline: by, requestId: ports.newId() });
  noteCertificate(ports, versions.certificateEndsAt, note);

  // Not the invocation's id: Lambda retries an invocation under the same id, and that lease would have ended.
  const leaseId = `check:${name}:${ports.newId()}`;
  const loggedInAt = seconds(ports.now());
  await openSession(ports, { array: name, leaseId, leaseSeconds: LEASE_SECONDS }, by);
  let failure: FlashBladeError | undefined;
  try {
    const { session } = await unsealLease(ports, leaseId, by);
    const { username } = session;
    const listedAt = seconds(ports.now());
    const facts = await readFacts(ports, session, versions.data, by);
    noteFacts(ports, facts, username, note);
    const { sessions } = facts;
    if (sessions !== undefined) {
      const list = { array, username, sessions, loggedInAt, listedAt };
      noteComparison(await compareSessions(ports, snapshot, list, by), note);
    }
  } catch (error) {
    failure = known(error);
  }
  try {
    await closeSession(ports, leaseId, endsAt);
  } catch (error) {
    // Does not hide the first failure. It is in the log, and the sweeper keeps trying to close the lease.
    failure ??= known(error);
  }
  if (failure !== undefined) throw failure;
}

function noteCertificate(ports: Ports, endsAt: number | undefined, note: Note): void {
  if (endsAt === undefined) return;
  const certificateDays = daysUntil(ports, endsAt);
  note({ certificateDays }, ...certificateWarnings(certificateDays));
}

function noteFacts(
  ports: Ports,
  { idleSeconds, tokenEndsAt, warnings }: ArrayFacts,
  username: string,
  note: Note,
): void {
  note({}, ...warnings);
  if (idleSeconds !== undefined) note({}, ...idleWarnings(idleSeconds, ports.limits.arrayIdleSeconds));
  if (tokenEndsAt === undefined) return;
  const apiTokenDays = daysUntil(ports, tokenEndsAt);
  note({ apiTokenDays }, ...apiTokenWarnings(apiTokenDays, username));
}

function noteComparison({ unknown, warnings }: Comparison, note: Note): void {
  note(unknown === undefined ? {} : { unknownSessions: unknown }, ...warnings);
}

const daysUntil = (ports: Ports, time: number): number => Math.floor((time - ports.now() / 1000) / DAY_SECONDS);
