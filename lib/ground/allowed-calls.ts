/** Which REST calls `call-array` makes for others: an allow-list from the configuration, and a few that are never made. */
import { FlashBladeError } from './errors.ts';
import type { CallRequest } from './requests.ts';

export type AllowedCall = { readonly method: string; readonly segments: readonly string[] };

/**
 * Endpoints that open, end or list sessions, or return a key, token, password or files that can hold one. Each is written as
 * `endpointOf` does. docs/security.md lists them, with what they return and the vendor's specifications that say so.
 */
const NEVER = [
  // Wherever it stands in a path, and whatever follows it.
  /\/(login|logout|oauth2|admins|api-clients)\//,
  // Names that mark a secret, in later REST versions, too. Public keys are none.
  /token|secret|credential|passphrase|private|(?<!public-|verification-)keys?\//,
  /^\d*\/(sessions|logs|logs-async\/download|keytabs\/(download|upload)|support\/system-manifest)\//,
  /^\d*\/(directory-services\/(?!(local|roles|test)\/)|snmp-agents\/(?!mib\/)|snmp-managers\/(?!test\/))/,
  // REST 2 no longer returns the private key.
  /^1\/certificates\/$/,
];
const NEVER_RULE =
  'path must not be an endpoint for sessions, admins, keys, tokens, passwords or logs: call-array never calls these';
const RULE = /^(GET|POST|PUT|PATCH|DELETE) (\/api\/[A-Za-z0-9._*/-]+)$/;

/**
 * Reads an allow-list: `GET /api/**, POST /api/2.*\/file-systems`. `*` stands for one segment of a path or a part of it, `**` at the end
 * for all that follows. Throws CONFIG_INVALID.
 */
export function allowedCalls(list: string): AllowedCall[] {
  return list.split(',').map((rule) => {
    const [, method, pattern] = RULE.exec(rule.trim()) ?? [];
    if (method === undefined || pattern === undefined) {
      throw new FlashBladeError(
        'CONFIG_INVALID',
        'environment variable ALLOWED_CALLS must be a list of "METHOD /api/path", separated by commas; * is one segment, ** at the end the rest',
      );
    }
    return { method, segments: pattern.split('/') };
  });
}

/** Throws REQUEST_INVALID unless the call is on the list, and for whatever is never called. */
export function refuseUnlessAllowed(allowed: readonly AllowedCall[], { method, path }: CallRequest): void {
  if (isNeverCalled(path)) throw new FlashBladeError('REQUEST_INVALID', `call request: ${NEVER_RULE}`);
  if (allowed.some((rule) => rule.method === method && fitsPath(rule.segments, path.split('/')))) return;
  const rule = 'method and path must be on the list of allowed calls (ALLOWED_CALLS)';
  throw new FlashBladeError('REQUEST_INVALID', `call request: ${rule}`);
}

function isNeverCalled(path: string): boolean {
  const endpoint = endpointOf(path);
  return NEVER.some((pattern) => pattern.test(endpoint));
}

/**
 * `/api/2.15/Admins/api-tokens.json` as `2/admins/api-tokens/`: major version, lower case, no suffix. An array that reads paths less
 * strictly than it should then finds nothing that this does not.
 */
function endpointOf(path: string): string {
  const [, , ...segments] = path.toLowerCase().split('/');
  const names = segments.map((segment) => segment.replace(/[^a-z0-9_-].*$/, '')).filter((name) => name !== '');
  const [version, major = ''] = /^v?(\d+).*$/.exec(names[0] ?? '') ?? [];
  return `${major}/${names.slice(version === undefined ? 0 : 1).join('/')}/`;
}

function fitsPath(pattern: readonly string[], path: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '**';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  const rest = path.slice(fixed.length);
  if (isOpen ? rest.length === 0 || rest.includes('') : rest.length > 0) return false;
  return fixed.every((segment, n) => fitsSegment(segment, path[n]));
}

// Not a regular expression: with a few stars that could take longer than anybody waits, by a path that a caller chooses.
function fitsSegment(pattern: string, segment: string | undefined): boolean {
  if (segment === undefined) return false;
  const [head = '', ...between] = pattern.split('*');
  const tail = between.pop();
  if (tail === undefined) return segment === pattern;
  if (!segment.startsWith(head)) return false;
  let at = head.length;
  for (const text of between) {
    const found = segment.indexOf(text, at);
    if (found < 0) return false;
    at = found + text.length;
  }
  return segment.length - tail.length >= at && segment.endsWith(tail);
}
