/** Where the path of a call leads when the most lenient server reads it. Judged independently of the rules in the product. */

const FORBIDDEN = new Set(['login', 'logout', 'admins', 'api-tokens', 'api-clients', 'oauth2']);
const ORIGIN = 'https://array.invalid';

/** Why this path must not be sent; undefined if it stays below /api/ of its own array, away from sessions and API tokens. */
export function wrongOf(path: string): string | undefined {
  if (/[^!-~]/.test(path)) return 'it has characters that end or change a line of HTTP';
  const read = new URL(path, ORIGIN);
  if (read.origin !== ORIGIN || read.username !== '') return 'it names another server';
  const plain = decoded(decoded(read.pathname)).normalize('NFKC').toLowerCase().replaceAll('\\', '/');
  // Once more: what was encoded may have been dots.
  const { pathname } = new URL(`/${plain.replace(/^\/+/, '')}`, ORIGIN);
  if (!pathname.startsWith('/api/')) return 'it leaves /api/';
  const segments = pathname.split('/').map((segment) => segment.replace(/[.;:].*$/, '').trim());
  return segments.some((segment) => FORBIDDEN.has(segment)) ? 'it reaches sessions or API tokens' : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
