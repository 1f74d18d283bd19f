/** Makes one REST call under a lease, for callers that must not see a token. Invoked directly or by Step Functions. */
import type { Context } from 'aws-lambda';
import { connect, functionConfig, functionPorts, invoke } from '../lib/lambda/invocation.ts';
import { allowedCalls, type CallResult, callArray } from '../lib/leases/call-array.ts';
import { parseCallRequest } from '../lib/leases/requests.ts';

const ports = functionPorts();
await connect(ports);
const allowed = allowedCalls(functionConfig().ALLOWED_CALLS);

/** `{ leaseId, method, path, query?, body? }` → `{ status, body }`. */
export const handler = (event: unknown, context: Context): Promise<CallResult> =>
  invoke(
    context,
    () => parseCallRequest(event),
    (request, deadline) => callArray(ports, allowed, request, deadline),
  );
