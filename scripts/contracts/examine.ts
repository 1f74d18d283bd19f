/** Reads what a report says about a real array. */
import * as v from 'valibot';
import type { RealArray } from '../../contracts/targets/array.ts';
import { type OpenSessions, openSession } from '../../contracts/targets/target.ts';
import { apiVersions, compareVersions, request } from '../../lib/flashblade/client.ts';
import { isRefusal } from '../../lib/flashblade/responses.ts';

export type ArrayFacts = {
  /** The user who owns the API token, as the array reports it. */
  readonly username: string;
  /** REST versions, oldest first. */
  readonly versions: readonly string[];
  /** Purity version. Undefined if the array does not report one to this user. */
  readonly purity?: string | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** The `user_interface` of the user's active sessions. Undefined if the user may not list sessions. */
  readonly listedAs?: readonly string[] | undefined;
  /** The lists that the array refuses to this user. */
  readonly unreadable: readonly string[];
};

/** Anything else could be a token that the array sends back. */
const VERSION = /^\d+(\.\d+){1,3}$/;

const arrays = v.object({
  items: v.tupleWithRest(
    [v.looseObject({ version: v.optional(v.string()), idle_timeout: v.optional(v.number()) })],
    v.unknown(),
  ),
});
const sessions = v.object({ items: v.array(v.looseObject({ user: v.string(), user_interface: v.string() })) });

/** Logs in, reads, among others, these lists, and leaves the session to `opened`. Throws whatever a login throws. */
export async function examine(
  { array, apiToken }: RealArray,
  opened: OpenSessions,
  lists: readonly string[] = [],
): Promise<ArrayFacts> {
  const unreadable = new Set<string>();
  const session = await openSession(array, apiToken, opened);
  const versions = (await apiVersions(array)).filter((one) => VERSION.test(one)).toSorted(compareVersions);
  const read = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    try {
      const call = { method: 'GET', path: `/api/${versions.at(-1)}/${path}`, query } as const;
      const { status, body } = await request(session, call);
      if (isRefusal(status)) unreadable.add(path);
      return status === 200 ? body : undefined;
    } catch {
      // The report then lacks this fact, and the pact's own interactions show what is wrong.
      return undefined;
    }
  };
  const { output: own } = safely(arrays, await read('arrays'));
  const { output: listed } = safely(sessions, await read('sessions', { filter: 'end_time=0', limit: '1000' }));
  for (const list of lists) if (!['arrays', 'sessions'].includes(list)) await read(list, { limit: '1' });
  return {
    username: session.username,
    versions,
    unreadable: [...unreadable],
    purity: VERSION.test(own?.items[0].version ?? '') ? own?.items[0].version : undefined,
    idleTimeoutMs: own?.items[0].idle_timeout,
    listedAs: listed?.items.filter(({ user }) => user === session.username).map((one) => one.user_interface),
  };
}

function safely<Schema extends v.GenericSchema>(schema: Schema, value: unknown): { output?: v.InferOutput<Schema> } {
  const result = v.safeParse(schema, value);
  return result.success ? { output: result.output } : {};
}
