/** Every parser that hostile input can reach, with inputs that are almost valid. */
import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import type { ErrorCode } from '../../../lib/core/errors.ts';
import { apiToken, type FlashBlade } from '../../../lib/core/model.ts';
import { compareVersions } from '../../../lib/flashblade/client.ts';
import { toWire } from '../../../lib/flashblade/requests.ts';
import { authTokenOf, retryAfterSeconds, sessionOf, versionsOf } from '../../../lib/flashblade/responses.ts';
import { activeSessionsOf, idleSecondsOf, pageOf, tokenEndOf } from '../../../lib/fleet/array-facts.ts';
import { allowedCalls, refuseUnlessAllowed } from '../../../lib/leases/call-array.ts';
import * as events from '../../../lib/leases/events.ts';
import * as requests from '../../../lib/leases/requests.ts';
import { wrongOf } from './paths.ts';
import { almost, CANARY, hostileText, hostileValue, jsonText } from './values.ts';

export type Target<Input = unknown> = {
  readonly input: fc.Arbitrary<Input>;
  readonly parse: (input: Input) => unknown;
  /** Error codes that it may throw. */
  readonly codes: readonly ErrorCode[];
  /** What is wrong with a result, judged from the input alone. */
  readonly wrong?: (input: Input, result: unknown) => string | undefined;
};
const target = <Input>(one: Target<Input>): Target => one as unknown as Target;
/** A request with these fields. */
const request = (fields: Parameters<typeof almost>[0], parse: Target['parse']): Target => ({
  ...{ input: almost(fields), parse, codes: ['REQUEST_INVALID'] },
});

const array: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };
const name = fc.constantFrom('fb1', 'fb-2.lab_1');
const id = fc.constantFrom('job-1', 'arn:aws:states:eu-central-1:1:execution:a:b');
const leaseSeconds = fc.constantFrom(60, 900, 86_400);
const opening = { array: name, leaseId: id, leaseSeconds, owner: id };

const detail = fc.oneof(
  almost({ array: name, owner: id }),
  almost({ leaseId: id }),
  almost({ executionArn: id, status: fc.constantFrom(...events.EXECUTION_ENDS, 'RUNNING') }),
);
const event = almost({
  id: fc.constant('5b6f0e1c-8c4a-4d63-9a57-2f6d1c0b9e11'),
  source: fc.constantFrom(events.EXECUTION_SOURCE, 'com.example.jobs'),
  'detail-type': fc.constantFrom(
    events.DETAIL_TYPES.requested,
    events.DETAIL_TYPES.released,
    events.EXECUTION_DETAIL_TYPE,
  ),
  detail,
});

const fingerprint: fc.Arbitrary<unknown> = fc.constantFrom('ab'.repeat(32), 'AB:'.repeat(32).slice(0, -1));
const host = fc.oneof(fc.constantFrom('fb1.example.com', 'FB1:8443', '10.1.2.3', '[2001:db8::1]:443'), hostileText);
const secret = almost({
  host,
  apiToken: fc.constant(CANARY),
  trust: almost({
    fingerprints: fc.array(fc.oneof(fingerprint, fingerprint, hostileValue), { minLength: 1, maxLength: 2 }),
  }),
});

const segment = fc.constantFrom('2.4', 'arrays', 'file-systems', 'arrays.json', 'a_b');
const reserved = fc.constantFrom('login', 'Logout', 'admins', 'api-tokens', 'login.json', 'admins.', '.', '..', '');
const pathOf = (part: fc.Arbitrary<string>) =>
  fc.array(part, { maxLength: 4 }).map((parts) => `/api/${parts.join('/')}`);
const path = fc.oneof(
  { weight: 6, arbitrary: pathOf(segment) },
  { weight: 3, arbitrary: pathOf(fc.oneof(segment, reserved)) },
  { weight: 3, arbitrary: pathOf(fc.oneof(segment, hostileText)) },
  { weight: 1, arbitrary: hostileText },
);
const call = {
  leaseId: id,
  method: fc.constantFrom('GET', 'POST', 'DELETE'),
  path,
  query: fc.oneof(
    { weight: 3, arbitrary: fc.dictionary(hostileText, fc.oneof(hostileText, fc.integer()), { maxKeys: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(hostileText, hostileValue, { maxKeys: 3 }) },
  ),
  body: hostileValue,
};
const everything = allowedCalls('GET /api/**,POST /api/**,DELETE /api/**');

function wireOf(input: unknown): string {
  const { leaseId, ...request } = requests.parseCallRequest(input);
  refuseUnlessAllowed(everything, { leaseId, ...request });
  return toWire(request).path;
}

const header = fc.oneof(fc.constantFrom('0', '7', 'Sun, 06 Nov 1994 08:49:37 GMT'), hostileText);
const answerOf = (body: fc.Arbitrary<unknown>) =>
  fc.record({
    status: fc.constantFrom(200, 200, 200, 200, 201, 302, 400, 401, 429, 500, 503),
    headers: fc.dictionary(fc.constantFrom('x-auth-token', 'retry-after', '__proto__', 'content-type'), header),
    body: jsonText(body).map((text) => Buffer.from(text)),
    requestId: fc.constant('request'),
    certificateEndsAt: fc.constant(undefined),
  });
const loginAnswer = answerOf(almost({ username: fc.constantFrom('pureuser', `x${CANARY.toUpperCase()}`) })).map(
  (answer) => ({ ...answer, headers: { 'x-auth-token': 'an-auth-token', ...answer.headers } }),
);
const version = fc.oneof({ weight: 5, arbitrary: fc.constantFrom<unknown>('1.10', '2.4', '2.15') }, hostileValue);
const versions = fc.array(version, { minLength: 1, maxLength: 2 });
const items = fc.array(
  fc.oneof(
    almost({ user: name, user_interface: fc.constant('REST'), start_time: fc.integer(), end_time: fc.constant(0) }),
    almost({ admin: almost({ name }), api_token: almost({ expires_at: fc.integer() }) }),
    almost({ idle_timeout: fc.integer() }),
  ),
  { maxLength: 3 },
);

/** Reports a result that contains the token, in any letter case. */
const containsToken = (_: unknown, result: unknown): string | undefined =>
  JSON.stringify(result).toLowerCase().includes(CANARY.toLowerCase()) ? 'the result contains the token' : undefined;

/** The host that we call must be the host that a standard URL parser reads. */
function hostIsRead(text: string): string | undefined {
  const { host: called, port } = parseSecret('fb1', 'flashblade/fb1', { SecretString: text }).array;
  const url = `https://${JSON.parse(text).host}/`;
  if (!URL.canParse(url)) return 'it accepts an invalid host';
  const read = new URL(url);
  // A URL writes an IPv6 address in its shortest form, and any other host unchanged.
  const name = isIPv6(called) ? new URL(`https://[${called}]/`).hostname : called;
  const isSame = read.hostname === name && Number(read.port || 443) === port && read.username === '';
  return isSame && read.pathname === '/' ? undefined : 'it calls another host';
}

export const TARGETS: Readonly<Record<string, Target>> = {
  'login request': request(opening, (input) => requests.parseLoginRequest(input, 'invocation')),
  'logout request': request({ leaseId: id }, requests.parseLogoutRequest),
  'renew request': request({ leaseId: id, expiresAt: fc.constant(1_800_000_000) }, requests.parseRenewRequest),
  'fleet request': request(
    { arrays: fc.array(fc.oneof(name, hostileValue), { maxLength: 3 }) },
    requests.parseFleetRequest,
  ),
  'call request': { ...request(call, wireOf), wrong: (_, wire) => wrongOf(String(wire)) },
  event: target({ input: jsonText(event), parse: events.parseEvent, codes: ['REQUEST_INVALID'] }),
  secret: target({
    input: jsonText(secret),
    parse: (text) => parseSecret('fb1', 'flashblade/fb1', { SecretString: text, VersionId: 'v1' }),
    codes: ['SECRET_INVALID'],
    wrong: (text) => hostIsRead(text),
  }),
  'login answer': target({
    input: loginAnswer,
    parse: (answer) => sessionOf(array, answer, apiToken(CANARY), authTokenOf(answer)),
    codes: ['ANSWER_INVALID', 'ARRAY_BUSY', 'ARRAY_UNREACHABLE', 'LOGIN_REFUSED'],
    wrong: containsToken,
  }),
  'versions answer': target({
    input: answerOf(almost({ versions })),
    parse: (answer) => versionsOf(array, answer).toSorted(compareVersions),
    codes: ['ANSWER_INVALID', 'ARRAY_BUSY', 'ARRAY_UNREACHABLE', 'ARRAY_UNSUPPORTED'],
  }),
  'list answer': target({
    input: almost({ items, continuation_token: fc.constantFrom(null, 'next') }),
    parse: (body) => {
      const page = pageOf(body)?.items ?? [];
      return [idleSecondsOf(page), tokenEndOf(page, 'fb1'), activeSessionsOf(page)];
    },
    codes: [],
  }),
  'retry-after': target({
    input: header,
    parse: (text) => retryAfterSeconds({ 'retry-after': text }, 1_800_000_000_000) ?? 0,
    codes: [],
    wrong: (_, seconds) => (Number(seconds) >= 0 && Number(seconds) <= 86_400 ? undefined : 'it waits forever'),
  }),
};
