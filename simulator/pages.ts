/** Splits lists into pages. Each response has at most `limit` items and a continuation token for the next page. */
import type { ApiRequest } from './array.ts';
import { json, noSuchResource, type Reply, resourceError } from './reply.ts';

type Named = { readonly name: string };

/**
 * Returns a page of a REST 2 list, which has the parameters `limit` and `continuation_token`. Without a token, the page starts at the first
 * item.
 */
export function listItems<Item extends Named>({ query }: ApiRequest, items: readonly Item[]): Reply {
  const chosen = chooseByName(items, query.get('names'));
  if (!Array.isArray(chosen)) return chosen;
  const page = cutPage(chosen, query.get('limit'), query.get('continuation_token'));
  if ('status' in page) return page;
  return json(200, { continuation_token: page.next, total_item_count: chosen.length, items: page.items });
}

/** Returns a page of a REST 1 list, which has the parameters `limit` and `token`. The response has a `pagination_info` object. */
export function listItemsOldWay<Item extends Named>({ query }: ApiRequest, items: readonly Item[]): Reply {
  const chosen = chooseByName(items, query.get('names'));
  if (!Array.isArray(chosen)) return chosen;
  const page = cutPage(chosen, query.get('limit'), query.get('token'));
  if ('status' in page) return page;
  const paging = { continuation_token: page.next, total_item_count: chosen.length };
  return json(200, { pagination_info: paging, items: page.items });
}

function chooseByName<Item extends Named>(items: readonly Item[], names: string | null): Item[] | Reply {
  if (names === null) return [...items];
  const wanted = names.split(',');
  const missing = wanted.find((name) => !items.some((item) => item.name === name));
  return missing === undefined ? items.filter(({ name }) => wanted.includes(name)) : noSuchResource(missing);
}

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

function cutPage<Item>(all: readonly Item[], limit: string | null, token: string | null): Page<Item> | Reply {
  const start = token === null ? 0 : readToken(token);
  if (start === undefined) return resourceError(null, 'Invalid continuation token.');
  const size = limit === null ? all.length : Number(limit);
  if (limit !== null && !(Number.isSafeInteger(size) && size > 0)) return resourceError(null, 'Invalid limit.');
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? makeToken(end) : null };
}

const makeToken = (start: number): string => Buffer.from(`start:${start}`).toString('base64url');

function readToken(token: string): number | undefined {
  const digits = /^start:(\d{1,9})$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  return digits === undefined ? undefined : Number(digits);
}
