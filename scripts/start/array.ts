/** The array in the demonstration. Also finds the live sessions that a real array reports. */
import * as v from 'valibot';
import { compareVersions, isFlashBladeError } from '../../lib/index.ts';
import type { Use } from '../../lib/leases/use.ts';

/** Runs work under a separate lease, then closes that lease. */
export type Look = <T>(work: (use: Use) => Promise<T>) => Promise<T>;
/** The number of this run's live sessions, and a report for the user. */
export type Left = { readonly live: number; readonly report: string };

export type DemoArray = {
  readonly name: string;
  readonly what: string;
  /** Queries the array while our session is live. Returns a function that later checks whether the session is still live. */
  watch(use: Use, version: string): Promise<(look: Look) => Promise<Left>>;
};

const SESSIONS_SINCE = '2.3';
const MAX_PAGES = 100;

export const realArray = (name: string): DemoArray => ({
  name,
  what: 'a real FlashBlade',
  watch: async (use, version) => {
    if (compareVersions(version, SESSIONS_SINCE) < 0)
      return unseen(`the array does not support REST ${SESSIONS_SINCE}`);
    const ours = (await liveSessions(use, version)).at(-1);
    if (ours === undefined) return unseen('this user cannot list sessions');
    return async (look) => {
      const sessions = await look((other) => liveSessions(other, version));
      const live = sessions.filter((session) => session === ours).length;
      const list = `GET /api/${version}/sessions under a separate lease`;
      return {
        live,
        report: `${list}: ${live === 0 ? 'the session is no longer live' : 'the session is STILL LIVE'}`,
      };
    };
  },
});

const unseen = (why: string) => async (): Promise<Left> => ({
  live: 0,
  report: `unknown, because ${why}; the array confirmed the logout`,
});

const sessionsPage = v.object({
  items: v.array(
    v.object({
      user: v.nullish(v.string()),
      user_interface: v.nullish(v.string()),
      location: v.nullish(v.string()),
      start_time: v.number(),
      end_time: v.nullish(v.number()),
    }),
  ),
  continuation_token: v.nullish(v.string()),
});

/** Identifies the lease user's live REST sessions, oldest first. Returns an empty list if the array does not list sessions. */
async function liveSessions(use: Use, version: string): Promise<string[]> {
  const items: v.InferOutput<typeof sessionsPage>['items'] = [];
  let token: string | null | undefined;
  for (let number = 0; number === 0 || (token && number < MAX_PAGES); number++) {
    const page = await sessionsPageAt(use, version, token);
    if (page === undefined) return [];
    items.push(...page.items);
    token = page.continuation_token;
  }
  return items
    .filter(
      ({ user, end_time, user_interface }) => user === use.lease.username && !end_time && user_interface === 'REST',
    )
    .sort((a, b) => a.start_time - b.start_time)
    .map(({ user, location, start_time }) => [user, location, start_time].join(' '));
}

async function sessionsPageAt(use: Use, version: string, token: string | null | undefined) {
  const query = token ? { continuation_token: token } : {};
  try {
    const { status, body } = await use.request({ method: 'GET', path: `/api/${version}/sessions`, query });
    return status === 200 && v.is(sessionsPage, body) ? body : undefined;
  } catch (error) {
    if (isFlashBladeError(error, 'FORBIDDEN')) return undefined;
    throw error;
  }
}
