/** Which REST calls `call-array` makes for others: an allow-list from the configuration, and a few that are never made. */
import { FlashBladeError } from './errors.ts';
import type { CallRequest } from './requests.ts';

export type AllowedCall = { readonly method: string; readonly path: RegExp };

/** Sessions, and whatever shows or makes an API token or a key. */
const NEVER = /\/(login|logout|admins|api-clients|api-tokens|oauth2)(\/|$)/i;
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
    return { method, path: patternOf(pattern) };
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
  if (allowed.some((rule) => rule.method === method && rule.path.test(path))) return;
  const rule = 'method and path must be on the list of allowed calls (ALLOWED_CALLS)';
  throw new FlashBladeError('REQUEST_INVALID', `call request: ${rule}`);
}

function patternOf(pattern: string): RegExp {
  const segments = pattern.split('/').map((segment, n, all) => {
    if (segment === '**' && n === all.length - 1) return '[^/]+(/[^/]+)*';
    return segment.replaceAll('.', '\\.').replaceAll(/\*+/g, '[^/]*');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
