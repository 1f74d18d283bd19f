/** Removes tokens from text that is printed or written. */
import { maskUuids } from '../../lib/core/redact.ts';

const MASK = '[token]';

/** Masks the secrets in a text, also in the spellings of JSON and URLs, and everything that looks like a token. */
export function mask(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first, because one may be the prefix of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const masked = longestFirst.reduce((rest, form) => rest.replaceAll(form, MASK), text);
  return maskUuids(masked, MASK);
}
