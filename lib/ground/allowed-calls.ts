/** Which REST calls `call-array` makes for others: an allow-list from the configuration, and a few that are never made. */
import { FlashBladeError } from './errors.ts';
import type { CallRequest } from './requests.ts';

export type AllowedCall = { readonly method: string; readonly segments: readonly string[] };

/** Sessions, and whatever shows or makes an API token or a key. */
const NEVER = /\/(login|logout|admins|api-clients|api-tokens|oauth2)([./]|$)/i;
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

/** Throws REQUEST_INVALID unless the call is on the list, and always for calls of sessions, admins and API tokens. */
export function refuseUnlessAllowed(allowed: readonly AllowedCall[], { method, path }: CallRequest): void {
  if (NEVER.test(path)) {
    throw new FlashBladeError(
      'REQUEST_INVALID',
      'call request: path must not be one of sessions, admins or API tokens',
    );
  }
  if (allowed.some((rule) => rule.method === method && fitsPath(rule.segments, path.split('/')))) return;
  const rule = 'method and path must be on the list of allowed calls (ALLOWED_CALLS)';
  throw new FlashBladeError('REQUEST_INVALID', `call request: ${rule}`);
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
