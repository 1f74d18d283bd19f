/** Takes tokens out of what people get to read. */

const LOOKS_LIKE_TOKEN = /(T-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
const MASK = '[token]';

/** The text without any of the secrets, as they are and as JSON and URLs write them, and without what looks like a token. */
export function mask(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first: one may be the beginning of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((masked, form) => masked.replaceAll(form, MASK), text).replaceAll(LOOKS_LIKE_TOKEN, MASK);
}
