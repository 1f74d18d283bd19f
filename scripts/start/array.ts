/** The array that the session is opened on, and what a real one reports of its live sessions. */
import * as v from 'valibot';
import { compareVersions, isFlashBladeError, type Use } from '../../lib/index.ts';

/** Does work under a lease of its own, and closes that. */
export type Look = <T>(work: (use: Use) => Promise<T>) => Promise<T>;
/** How many sessions of this run are live, and how that is known. */
export type Left = { readonly live: number; readonly report: string };

export type DemoArray = {
  readonly name: string;
  readonly what: string;
  /** Looks at the array while our session is live; gives the way to find out later whether it still is. */
  watch(use: Use, version: string): Promise<(look: Look) => Promise<Left>>;
};

const SESSIONS_SINCE = '2.3';
const MAX_PAGES = 100;

export const realArray = (name: string): DemoArray => ({
  name,
  what: 'a real FlashBlade',
  watch: async (use, version) => {
    if (compareVersions(version, SESSIONS_SINCE) < 0) return unseen(`it serves no REST ${SESSIONS_SINCE}`);
    const ours = (await liveSessions(use, version)).at(-1);
    if (ours === undefined) return unseen('it shows this user no list of sessions');
    return async (look) => {
      const sessions = await look((other) => liveSessions(other, version));
      const live = sessions.filter((session) => session === ours).length;
      const list = `GET /api/${version}/sessions, asked under another lease`;
      return {
        live,
        report: `${list}: ${live === 0 ? 'the session is no longer live' : 'the session is STILL LIVE'}`,
      };
    };
  },
});

const unseen = (why: string) => async (): Promise<Left> => ({
  live: 0,
  report: `it cannot be seen, ${why}; its logout was confirmed`,
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

/** The live REST sessions of the lease's user, oldest first, each as a text of its own; none if the array does not tell. */
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
