/** Takes tokens out of what people get to read. */
import { maskUuids } from '../../lib/core/redact.ts';

const MASK = '[token]';

/** The text without any of the secrets, as they are and as JSON and URLs write them, and without what looks like a token. */
export function mask(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first: one may be the beginning of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const masked = longestFirst.reduce((rest, form) => rest.replaceAll(form, MASK), text);
  return maskUuids(masked, MASK);
}
