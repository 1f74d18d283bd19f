/** One REST call under a lease, for callers that should never see a token. Invoked directly or by Step Functions. */
import type { Context } from 'aws-lambda';
import { allowedCalls } from '../lib/ground/allowed-calls.ts';
import { parseCallRequest } from '../lib/ground/requests.ts';
import { connect, functionConfig, functionEdges, invoke } from '../lib/lambda/invocation.ts';
import { type CallResult, callArray } from '../lib/story/call-array.ts';

const edges = functionEdges();
await connect(edges);
const allowed = allowedCalls(functionConfig().ALLOWED_CALLS);

/** `{ leaseId, method, path, query?, body? }` → `{ status, body }`. */
export const handler = (event: unknown, context: Context): Promise<CallResult> =>
  invoke(
    context,
    () => parseCallRequest(event),
    (request, deadline) => callArray(edges, allowed, request, deadline),
  );
