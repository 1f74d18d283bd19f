/** What an array's answers tell the fleet check, as far as it can be read. Times in seconds since the epoch. */
import * as v from 'valibot';
import { fields } from './check.ts';

const page = fields({
  items: v.array(v.unknown()),
  continuation_token: v.optional(v.nullable(v.string())),
});
const array = fields({ idle_timeout: v.number() });
const apiToken = fields({
  admin: fields({ name: v.string() }),
  api_token: fields({ expires_at: v.optional(v.nullable(v.number())) }),
});
const session = fields({
  user: v.string(),
  user_interface: v.string(),
  start_time: v.number(),
  end_time: v.number(),
});

export type Page = { readonly items: readonly unknown[]; readonly next?: string };
/** A REST session that has not ended. */
export type ActiveSession = { readonly user: string; readonly startedAt: number };

/** A page of a list; undefined if the body is none. */
export function pageOf(body: unknown): Page | undefined {
  const { success, output } = v.safeParse(page, body);
  if (!success) return undefined;
  const { items, continuation_token: next } = output;
  return { items, ...(next ? { next } : {}) };
}

/** After how many seconds of idleness the array ends a session; 0 = never. Undefined: it does not tell. */
export function idleSecondsOf([item]: readonly unknown[]): number | undefined {
  const { success, output } = v.safeParse(array, item);
  return success ? output.idle_timeout / 1000 : undefined;
}

/** When the API token of this user ends. Undefined: never, or the array does not tell. */
export function tokenEndOf(items: readonly unknown[], username: string): number | undefined {
  const own = read(apiToken, items).find(({ admin }) => admin.name === username);
  const expiresAt = own?.api_token.expires_at;
  return expiresAt ? expiresAt / 1000 : undefined;
}

/** The REST sessions that have not ended. Entries of other shapes are other things. */
export const activeSessionsOf = (items: readonly unknown[]): ActiveSession[] =>
  read(session, items)
    .filter((one) => one.user_interface === 'REST' && one.end_time === 0)
    .map(({ user, start_time }) => ({ user, startedAt: start_time / 1000 }));

const read = <Schema extends v.GenericSchema>(schema: Schema, items: readonly unknown[]): v.InferOutput<Schema>[] =>
  items.flatMap((item) => {
    const { success, output } = v.safeParse(schema, item);
    return success ? [output] : [];
  });
