/** Masks tokens in text that is printed or written to a file. */
import { maskUuids } from '../../lib/core/redact.ts';

const MASK = '[token]';

/** Masks the given secrets, including their JSON and URL encodings, and everything that looks like a token. */
export function mask(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // Replace the longest form first, because one form may be a prefix of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const masked = longestFirst.reduce((rest, form) => rest.replaceAll(form, MASK), text);
  return maskUuids(masked, MASK);
}
