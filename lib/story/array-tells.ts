/** What an array tells under a session of the fleet check: its idle time-out, its API token's end, its sessions. Reads only. */
import { compareVersions } from '../edges/flashblade.ts';
import {
  type ActiveSession,
  activeSessionsOf,
  idleSecondsOf,
  type Page,
  pageOf,
  tokenEndOf,
} from '../ground/array-answers.ts';
import { FlashBladeError } from '../ground/errors.ts';
import type { Session } from '../ground/model.ts';
import type { Edges } from './edges.ts';

const SESSIONS_SINCE = '2.3';
const PAGE_ITEMS = 1000;
const MAX_PAGES = 10;

/** Whatever is absent the array does not tell, or not to this user. Seconds. */
export type Told = {
  readonly idleSeconds?: number | undefined;
  readonly tokenEndsAt?: number | undefined;
  readonly sessions?: readonly ActiveSession[] | undefined;
  readonly warnings: readonly string[];
};

type Query = Readonly<Record<string, string | number>>;

/** Asks as far as the array's REST versions reach; `by`: epoch, ms. Throws what a call of the array throws, and ARRAY_BUSY. */
export async function askArray(edges: Edges, session: Session, versions: readonly string[], by: number): Promise<Told> {
  const version = versions
    .filter((one) => one.startsWith('2.'))
    .toSorted(compareVersions)
    .at(-1);
  if (version === undefined) return { warnings: [] };
  const warnings: string[] = [];
  const { username } = session;

  /** One page; undefined if the array does not tell it, with a warning unless that is for want of a permission. */
  async function ask(name: string, query: Query = {}): Promise<Page | undefined> {
    const path = `/api/${version}/${name}`;
    const requestId = edges.newId();
    const { status, body } = await edges.flashblade.request(
      session,
      { method: 'GET', path, query },
      { deadline: by, requestId },
    );
    if (status === 401 || status === 403) return undefined;
    if (status === 429 || status >= 500) throw busy(session, status, path);
    const page = status === 200 ? pageOf(body) : undefined;
    if (page === undefined) warnings.push(`it answered ${status} to GET ${path}, without a list`);
    return page;
  }

  async function activeSessions(): Promise<readonly ActiveSession[] | undefined> {
    const active: ActiveSession[] = [];
    let from: Query = {};
    for (let count = 0; count < MAX_PAGES; count++) {
      const page = await ask('sessions', { filter: 'end_time=0', limit: PAGE_ITEMS, ...from });
      if (page === undefined) return undefined;
      active.push(...activeSessionsOf(page.items));
      if (page.next === undefined) return active;
      from = { continuation_token: page.next };
    }
    warnings.push(`its list of sessions has more than ${MAX_PAGES * PAGE_ITEMS} entries: they were not compared`);
    return undefined;
  }

  const idleSeconds = idleSecondsOf((await ask('arrays'))?.items ?? []);
  const tokens = await ask('admins/api-tokens', { admin_names: username });
  const tokenEndsAt = tokenEndOf(tokens?.items ?? [], username);
  const sessions = compareVersions(version, SESSIONS_SINCE) < 0 ? undefined : await activeSessions();
  return { idleSeconds, tokenEndsAt, sessions, warnings };
}

const busy = ({ array }: Session, status: number, path: string): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_BUSY',
    `array ${array.name} answered ${status} to GET ${path}: it is busy, try again later`,
    {
      status,
      sent: true,
    },
  );
