/** Moves the end of a lease and keeps its session alive. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../lib/ground/model.ts';
import { parseRenewRequest } from '../lib/ground/requests.ts';
import { connect, functionEdges, invoke } from '../lib/lambda/invocation.ts';
import { renewLease } from '../lib/story/renew-lease.ts';

const edges = functionEdges();
await connect(edges);

/** `{ leaseId, expiresAt }` → `{ leaseId, array, username, expiresAt }`. Repeatable: `expiresAt` is absolute. */
export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseRenewRequest(event),
    (request, deadline) => renewLease(edges, request, deadline),
  );
