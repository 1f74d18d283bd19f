/** One REST call under a lease, for callers that never see a token. */
import { type AllowedCall, refuseUnlessAllowed } from '../ground/allowed-calls.ts';
import { FlashBladeError } from '../ground/errors.ts';
import { mapTexts, redactApiTokens } from '../ground/redact.ts';
import type { CallRequest } from '../ground/requests.ts';
import { MARGIN_MS } from '../ground/time.ts';
import type { Edges } from './edges.ts';
import { withLease } from './use-session.ts';

/** Step Functions bears 256 KiB of a state; the caller has something of its own in it. */
export const MAX_RESULT_BYTES = 240 * 1024;

export type CallResult = { readonly status: number; readonly body: unknown };

/**
 * Makes the call if it is allowed; answers whatever the array answers, without anything that looks like an API token. Throws
 * REQUEST_INVALID, FORBIDDEN, ANSWER_INVALID (a result that is too large), what `withLease` throws and what a call of the array throws.
 * `deadline`: epoch, ms.
 */
export async function callArray(
  edges: Edges,
  allowed: readonly AllowedCall[],
  request: CallRequest,
  deadline: number,
): Promise<CallResult> {
  refuseUnlessAllowed(allowed, request);
  const { leaseId, ...call } = request;
  const options = { edges, deadline: deadline - MARGIN_MS };
  const { status, body } = await withLease(leaseId, (use) => use.request(call), options);
  // Also former tokens of the array, which nobody here knows.
  const result = { status, body: mapTexts(body, redactApiTokens) };
  if (Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT_BYTES) return result;
  throw new FlashBladeError(
    'ANSWER_INVALID',
    `the answer to ${call.method} ${call.path} is larger than ${MAX_RESULT_BYTES / 1024} KiB: ask for less of it, with limit and continuation_token`,
    { status, sent: true },
  );
}
