/** One array of the fleet, checked: trust, REST versions, login, what it tells, logout. Its session is under a lease like any other. */
import { FlashBladeError, known } from '../ground/errors.ts';
import { apiTokenWarnings, certificateWarnings, idleWarnings } from '../ground/fleet-warnings.ts';
import type { FlashBlade } from '../ground/model.ts';
import { redact, redactApiTokens, type Tokens } from '../ground/redact.ts';
import { seconds } from '../ground/time.ts';
import { askArray, type Told } from './array-tells.ts';
import { closeSession } from './close-session.ts';
import { type Compared, compareSessions, type Snapshot } from './compare-sessions.ts';
import type { Edges } from './edges.ts';
import { hold } from './held-session.ts';
import { openSession } from './open-session.ts';

/** One array takes no longer than this; a slow one does not use up the time of the others. */
const ARRAY_MS = 40_000;
/** Kept for closing; everything else ends before it. */
const CLOSING_MS = 10_000;
/** No check begins with less: an array that is only slow would seem to be down. */
const NEEDED_MS = 15_000;
/** Longer than a check: if its process dies, the sweeper closes the session after this. */
const LEASE_SECONDS = 120;

const DAY_SECONDS = 86_400;

/** What came of one array. Days are rounded down; absent: not known, or it never ends. */
export type ArrayReport = {
  readonly array: string;
  /** Absent: it is healthy. */
  readonly fault?: { readonly code: string; readonly reason: string };
  readonly warnings: readonly string[];
  readonly certificateDays?: number;
  readonly apiTokenDays?: number;
  readonly unknownSessions?: number;
};

type Found = Omit<ArrayReport, 'array' | 'fault' | 'warnings'>;

/** Never throws: a fault is what is reported. `deadline` (epoch, ms): ends half a second before it. */
export async function checkArray(
  edges: Edges,
  array: string,
  snapshot: Snapshot,
  deadline: number,
): Promise<ArrayReport> {
  const warnings: string[] = [];
  let found: Found = {};
  let tokens: Tokens = [];
  // What an array presents may hold any token that it has ever seen.
  const clean = (text: string): string => redactApiTokens(redact(text, tokens));
  const note = (facts: Found, ...more: readonly string[]): void => {
    found = { ...found, ...facts };
    warnings.push(...more.map(clean));
  };
  try {
    const endsAt = Math.min(edges.now() + ARRAY_MS, deadline);
    const by = endsAt - CLOSING_MS;
    if (by - edges.now() < NEEDED_MS) throw outOfTime(array);
    const secret = await edges.secrets.read(array, { by });
    tokens = [secret.apiToken];
    await checkUnder(edges, secret.array, snapshot, { by, endsAt }, note);
    return { array, warnings, ...found };
  } catch (error) {
    const { code, message } = known(error);
    return { array, fault: { code, reason: clean(message) }, warnings, ...found };
  }
}

type Note = (facts: Found, ...warnings: readonly string[]) => void;

async function checkUnder(
  edges: Edges,
  array: FlashBlade,
  snapshot: Snapshot,
  { by, endsAt }: { by: number; endsAt: number },
  note: Note,
): Promise<void> {
  const { name } = array;
  const versions = await edges.flashblade.apiVersions(array, { deadline: by, requestId: edges.newId() });
  noteCertificate(edges, versions.certificateEndsAt, note);

  // Not the invocation's id: Lambda repeats an invocation under the same one, and its lease has ended then.
  const leaseId = `check:${name}:${edges.newId()}`;
  const loggedInAt = seconds(edges.now());
  await openSession(edges, { array: name, leaseId, leaseSeconds: LEASE_SECONDS }, by);
  let failure: FlashBladeError | undefined;
  try {
    const { session } = await hold(edges, leaseId, by);
    const { username } = session;
    const askedAt = seconds(edges.now());
    const told = await askArray(edges, session, versions.data, by);
    noteTold(edges, told, username, note);
    if (told.sessions !== undefined) {
      const circumstances = { array, username, loggedInAt, askedAt, by };
      noteCompared(await compareSessions(edges, snapshot, told.sessions, circumstances), note);
    }
  } catch (error) {
    failure = known(error);
  }
  try {
    await closeSession(edges, leaseId, endsAt);
  } catch (error) {
    // A failure to close never hides the first one; it is in the log, and the ledger goes on closing.
    failure ??= known(error);
  }
  if (failure !== undefined) throw failure;
}

function noteCertificate(edges: Edges, endsAt: number | undefined, note: Note): void {
  if (endsAt === undefined) return;
  const certificateDays = daysUntil(edges, endsAt);
  note({ certificateDays }, ...certificateWarnings(certificateDays));
}

function noteTold(edges: Edges, { idleSeconds, tokenEndsAt, warnings }: Told, username: string, note: Note): void {
  note({}, ...warnings);
  if (idleSeconds !== undefined) note({}, ...idleWarnings(idleSeconds, edges.limits.arrayIdleSeconds));
  if (tokenEndsAt === undefined) return;
  const apiTokenDays = daysUntil(edges, tokenEndsAt);
  note({ apiTokenDays }, ...apiTokenWarnings(apiTokenDays, username));
}

function noteCompared({ unknown, warnings }: Compared, note: Note): void {
  note(unknown === undefined ? {} : { unknownSessions: unknown }, ...warnings);
}

const daysUntil = (edges: Edges, time: number): number => Math.floor((time - edges.now() / 1000) / DAY_SECONDS);

const outOfTime = (array: string): FlashBladeError =>
  new FlashBladeError('OUT_OF_TIME', `array ${array} was not checked, no time was left: give the function more time`);
