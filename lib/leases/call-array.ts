/**
 * Makes one REST call under a lease, for callers that never see a token. Only calls on the allow-list ALLOWED_CALLS are made.
 * Endpoints that handle sessions or return secrets are never called, even if the list allows them.
 */
import { MARGIN_MS } from '../core/deadlines.ts';
import { FlashBladeError } from '../core/errors.ts';
import { mapTexts, redactApiTokens } from '../core/redact.ts';
import { METHODS } from '../flashblade/http/request.ts';
import type { Ports } from './ports.ts';
import { type CallRequest, MAX_RESULT_BYTES } from './requests.ts';
import { withLease } from './use.ts';

export type CallResult = { readonly status: number; readonly body: unknown };

/**
 * Makes the call if it is allowed. Returns the array's response, regardless of its status, with anything that looks like an API token
 * redacted. Numbers keep their exact value when the result is written as JSON. Throws REQUEST_INVALID, FORBIDDEN, ANSWER_INVALID (the
 * result is too large), and anything that `withLease` or a call to the array throws. `deadline` is in epoch milliseconds.
 */
export async function callArray(
  ports: Ports,
  allowed: readonly AllowedCall[],
  request: CallRequest,
  deadline: number,
): Promise<CallResult> {
  refuseUnlessAllowed(allowed, request);
  const { leaseId, ...call } = request;
  const { status, body } = await withLease(ports, leaseId, (use) => use.request(call), {
    deadline: deadline - MARGIN_MS,
    exactNumbers: true,
  });
  // The client has already redacted this session's tokens. An array may also return old API tokens, which can be recognized only by their
  // format.
  const result = { status, body: mapTexts(body, redactApiTokens) };
  if (Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT_BYTES) return result;
  throw new FlashBladeError(
    'ANSWER_INVALID',
    `the response to ${call.method} ${call.path} is larger than ${MAX_RESULT_BYTES / 1024} KiB. Request smaller pages with limit and continuation_token`,
    { status, sent: true },
  );
}

/** One rule in the allow-list. */
type AllowedCall = { readonly method: string; readonly segments: readonly string[] };

const RULE = new RegExp(`^(${METHODS.join('|')}) (/api/[A-Za-z0-9._*/-]+)$`);

/**
 * Parses an allow-list such as `GET /api/**, POST /api/2.*\/file-systems`. `*` matches a path segment or part of one. `**` at the end
 * matches the rest of the path. Throws CONFIG_INVALID.
 */
export function allowedCalls(list: string): AllowedCall[] {
  return list.split(',').map((rule) => {
    const [, method, pattern] = RULE.exec(rule.trim()) ?? [];
    if (method === undefined || pattern === undefined) {
      throw new FlashBladeError(
        'CONFIG_INVALID',
        'environment variable ALLOWED_CALLS must be a comma-separated list of "METHOD /api/path". * matches a segment or part of one, and ** at the end matches the rest',
      );
    }
    return { method, segments: pattern.split('/') };
  });
}

/** Throws REQUEST_INVALID if the call is not on the list or its endpoint is forbidden. */
export function refuseUnlessAllowed(allowed: readonly AllowedCall[], { method, path }: CallRequest): void {
  if (isNeverCalled(path)) throw new FlashBladeError('REQUEST_INVALID', `call request: ${NEVER_RULE}`);
  if (allowed.some((rule) => rule.method === method && matchesPath(rule.segments, path.split('/')))) return;
  const rule = 'method and path must be on the list of allowed calls (ALLOWED_CALLS)';
  throw new FlashBladeError('REQUEST_INVALID', `call request: ${rule}`);
}

/**
 * Endpoints that open, end or list sessions, or that return keys, tokens, passwords, or files that can contain them. The patterns match the
 * output of `endpointOf`. docs/security.md lists these endpoints, what they return, and the vendor specifications that describe them.
 */
const NEVER = [
  // Matches anywhere in a path, regardless of what follows.
  /\/(login|logout|oauth2|admins|api-clients)\//,
  // Matches names that indicate a secret, so that future REST versions are also covered. Public keys are not secret.
  /token|secret|credential|passphrase|private|(?<!public-|verification-)keys?\//,
  /^\d*\/(sessions|logs|logs-async\/download|keytabs\/(download|upload)|support\/system-manifest)\//,
  /^\d*\/(directory-services\/(?!(local|roles|test)\/)|snmp-agents\/(?!mib\/)|snmp-managers\/(?!test\/))/,
  // Returns the private key, but only in REST 1.
  /^1\/certificates\/$/,
];
const NEVER_RULE =
  'path must not be an endpoint for sessions, admins, keys, tokens, passwords or logs. call-array never calls such endpoints';

function isNeverCalled(path: string): boolean {
  const endpoint = endpointOf(path);
  return NEVER.some((pattern) => pattern.test(endpoint));
}

/**
 * Turns `/api/2.15/Admins/api-tokens.json` into `2/admins/api-tokens/`: major version, lower case, no suffix. Reads a path at least as
 * leniently as an array might, so that no alternative spelling slips through.
 */
function endpointOf(path: string): string {
  const [, , ...segments] = path.toLowerCase().split('/');
  const names = segments.map((segment) => segment.replace(/[^a-z0-9_-].*$/, '')).filter((name) => name !== '');
  const [version, major = ''] = /^v?(\d+).*$/.exec(names[0] ?? '') ?? [];
  return `${major}/${names.slice(version === undefined ? 0 : 1).join('/')}/`;
}

function matchesPath(pattern: readonly string[], path: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '**';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  const rest = path.slice(fixed.length);
  if (isOpen ? rest.length === 0 || rest.includes('') : rest.length > 0) return false;
  return fixed.every((segment, n) => matchesSegment(segment, path[n]));
}

// Does not use a regular expression. For a pattern with several stars, a caller could choose a path that makes the expression backtrack for
// hours.
function matchesSegment(pattern: string, segment: string | undefined): boolean {
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
