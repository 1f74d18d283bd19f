/** Filtering and pagination for ListSecrets and BatchGetSecretValue. */
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import type { Secret } from './secret-store.ts';

/** The supported filter keys. Any other key is refused, not ignored. */
export const filters = z
  .array(
    z.strictObject({
      Key: z.enum(['name', 'description', 'tag-key', 'tag-value']),
      Values: z.array(z.string().min(1)).min(1).max(10),
    }),
  )
  .max(10);
type Filter = z.output<typeof filters>[number];

/** A secret matches if every filter has a value that matches. Values are prefixes, and `!` negates a value. */
export const matches = (secret: Secret, wanted: readonly Filter[]): boolean =>
  wanted.every(({ Key, Values }) => Values.some((value) => matchesValue(secret, Key, value)));

function matchesValue(secret: Secret, key: Filter['Key'], value: string): boolean {
  if (value.startsWith('!')) return !matchesValue(secret, key, value.slice(1));
  if (key === 'description') return (secret.description ?? '').toLowerCase().startsWith(value.toLowerCase());
  return textsOf(secret, key).some((text) => text.startsWith(value));
}

function textsOf({ name, tags }: Secret, key: 'name' | 'tag-key' | 'tag-value'): string[] {
  if (key === 'name') return [name];
  return [...(key === 'tag-key' ? tags.keys() : tags.values())];
}

/**
 * Returns one page of secrets, and the token for the next page, if any. The token names the secret to continue after, so a secret that
 * disappears between two pages does not hide another one.
 */
export function page(
  secrets: readonly Secret[],
  { size, token, descending = false }: { size: number; token?: string | undefined; descending?: boolean },
): { readonly secrets: readonly Secret[]; readonly next: { NextToken?: string } } {
  const sorted = [...secrets].sort((left, right) => (left.order - right.order) * (descending ? -1 : 1));
  const after = token === undefined ? undefined : orderOf(token);
  const rest = sorted.filter(({ order }) => after === undefined || (descending ? order < after : order > after));
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  return { secrets: shown, next: last && rest.length > size ? { NextToken: tokenFor(last.order) } : {} };
}

const tokenFor = (order: number): string => Buffer.from(`after ${order}`).toString('base64url');

function orderOf(token: string): number {
  const order = /^after (\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (order === undefined) throw new AwsError('InvalidNextTokenException', 'The NextToken is not valid.');
  return Number(order);
}
