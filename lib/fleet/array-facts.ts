/** Reads what an array reports about itself: its idle timeout, its API token's expiry, and its sessions. */
import * as v from 'valibot';
import type { Session } from '../core/model.ts';
import { fields } from '../core/validation.ts';
import { compareVersions } from '../flashblade/client.ts';
import type { Ports } from '../leases/ports.ts';
import { refuseBlocked, unexpectedStatus } from '../leases/use.ts';

/**
 * A fact is absent if the array does not report it or the user may not read it. `tokenEndsAt` is also absent if the token never expires.
 */
export type ArrayFacts = {
  /** 0 means that idle sessions never end. */
  readonly idleSeconds?: number | undefined;
  /** Seconds since the epoch. */
  readonly tokenEndsAt?: number | undefined;
  readonly sessions?: readonly ActiveSession[] | undefined;
  readonly warnings: readonly string[];
};

/** A REST session that has not ended. `startedAt` is in seconds since the epoch, by the array's clock. */
export type ActiveSession = { readonly user: string; readonly startedAt: number };

/** The first REST version that can list sessions. */
const SESSIONS_SINCE = '2.3';
const PAGE_ITEMS = 1000;
const MAX_PAGES = 10;

type Query = Readonly<Record<string, string | number>>;

/**
 * Reads the facts using only GET requests, one at a time, until `by` (epoch milliseconds). Throws ARRAY_BUSY, ARRAY_UNREACHABLE, and
 * anything that a call to the array throws.
 */
export async function readFacts(
  ports: Ports,
  session: Session,
  versions: readonly string[],
  by: number,
): Promise<ArrayFacts> {
  const { array, username } = session;
  const version = versions
    .filter((one) => one.startsWith('2.'))
    .toSorted(compareVersions)
    .at(-1);
  if (version === undefined) return { warnings: [] };
  const warnings: string[] = [];

  /** Reads a page. If the array does not return a list, returns undefined and, unless the user may not read the list, adds a warning. */
  async function readPage(name: string, query: Query = {}): Promise<Page | undefined> {
    const call = { method: 'GET', path: `/api/${version}/${name}`, query } as const;
    const options = { deadline: by, requestId: ports.newId() };
    const response = await ports.flashblade.request(session, call, options);
    refuseBlocked(array, call, response);
    const { status, body } = response;
    if (status === 401 || status === 403) return undefined;
    if (status === 429 || status >= 500) {
      throw unexpectedStatus(array.name, call, response, 'the array is busy. Try again later.');
    }
    const page = status === 200 ? pageOf(body) : undefined;
    if (page === undefined) warnings.push(`the array returned ${status} for GET ${call.path} instead of a list`);
    return page;
  }

  async function readSessions(): Promise<readonly ActiveSession[] | undefined> {
    const active: ActiveSession[] = [];
    let from: Query = {};
    for (let count = 0; count < MAX_PAGES; count++) {
      const page = await readPage('sessions', { filter: 'end_time=0', limit: PAGE_ITEMS, ...from });
      if (page === undefined) return undefined;
      active.push(...activeSessionsOf(page.items));
      if (page.next === undefined) return active;
      from = { continuation_token: page.next };
    }
    warnings.push(`the session list has more than ${MAX_PAGES} pages, so sessions were not compared with the ledger`);
    return undefined;
  }

  const idleSeconds = idleSecondsOf((await readPage('arrays'))?.items ?? []);
  const tokens = await readPage('admins/api-tokens', { admin_names: username });
  const tokenEndsAt = tokenEndOf(tokens?.items ?? [], username);
  const sessions = compareVersions(version, SESSIONS_SINCE) < 0 ? undefined : await readSessions();
  return { idleSeconds, tokenEndsAt, sessions, warnings };
}

// Response schemas. Arrays report times in milliseconds.
const pageBody = fields({
  items: v.array(v.unknown()),
  continuation_token: v.optional(v.nullable(v.string())),
});
const arrayItem = fields({ idle_timeout: v.number() });
const apiTokenItem = fields({
  admin: fields({ name: v.string() }),
  api_token: fields({ expires_at: v.optional(v.nullable(v.number())) }),
});
const sessionItem = fields({
  user: v.string(),
  user_interface: v.string(),
  start_time: v.number(),
  end_time: v.number(),
});

type Page = { readonly items: readonly unknown[]; readonly next?: string };

/** Parses one page of a list. `next` is the token for the next page. Returns undefined if the body is not a page. */
export function pageOf(body: unknown): Page | undefined {
  const { success, output } = v.safeParse(pageBody, body);
  if (!success) return undefined;
  const { items, continuation_token: next } = output;
  return { items, ...(next ? { next } : {}) };
}

/** Returns the array's idle timeout in seconds (0 = never), or undefined if the array does not report one. */
export function idleSecondsOf([item]: readonly unknown[]): number | undefined {
  const { success, output } = v.safeParse(arrayItem, item);
  return success ? output.idle_timeout / 1000 : undefined;
}

/**
 * Returns the expiry time of this user's API token (seconds since the epoch), or undefined if the token never expires or the array reports
 * no expiry.
 */
export function tokenEndOf(items: readonly unknown[], username: string): number | undefined {
  const own = valid(apiTokenItem, items).find(({ admin }) => admin.name === username);
  const expiresAt = own?.api_token.expires_at;
  return expiresAt ? expiresAt / 1000 : undefined;
}

/** Returns the REST sessions that have not ended. The array's list also contains other events in other formats. */
export const activeSessionsOf = (items: readonly unknown[]): ActiveSession[] =>
  valid(sessionItem, items)
    .filter((one) => one.user_interface === 'REST' && one.end_time === 0)
    .map(({ user, start_time }) => ({ user, startedAt: start_time / 1000 }));

const valid = <Schema extends v.GenericSchema>(schema: Schema, items: readonly unknown[]): v.InferOutput<Schema>[] =>
  items.flatMap((item) => {
    const { success, output } = v.safeParse(schema, item);
    return success ? [output] : [];
  });
