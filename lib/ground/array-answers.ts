/** What an array's answers tell the fleet check, as far as it can be read. Times in seconds since the epoch. */
import * as z from 'zod/mini';

const page = z.object({
  items: z.array(z.unknown()),
  continuation_token: z.optional(z.nullable(z.string())),
});
const array = z.object({ idle_timeout: z.number() });
const apiToken = z.object({
  admin: z.object({ name: z.string() }),
  api_token: z.object({ expires_at: z.optional(z.nullable(z.number())) }),
});
const session = z.object({
  user: z.string(),
  user_interface: z.string(),
  start_time: z.number(),
  end_time: z.number(),
});

export type Page = { readonly items: readonly unknown[]; readonly next?: string };
/** A REST session that has not ended. */
export type ActiveSession = { readonly user: string; readonly startedAt: number };

/** A page of a list; undefined if the body is none. */
export function pageOf(body: unknown): Page | undefined {
  const { success, data } = page.safeParse(body);
  if (!success) return undefined;
  const { items, continuation_token: next } = data;
  return { items, ...(next ? { next } : {}) };
}

/** After how many seconds of idleness the array ends a session; 0 = never. Undefined: it does not tell. */
export function idleSecondsOf([item]: readonly unknown[]): number | undefined {
  const { success, data } = array.safeParse(item);
  return success ? data.idle_timeout / 1000 : undefined;
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

const read = <Schema extends z.ZodMiniType>(schema: Schema, items: readonly unknown[]): z.output<Schema>[] =>
  items.flatMap((item) => {
    const { success, data } = schema.safeParse(item);
    return success ? [data] : [];
  });
