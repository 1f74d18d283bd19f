/** Opens a session on one array, under a lease. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../lib/ground/model.ts';
import { parseLoginRequest } from '../lib/ground/requests.ts';
import { connect, functionEdges, invoke } from '../lib/lambda/invocation.ts';
import { openSession } from '../lib/story/open-session.ts';

const edges = functionEdges();
await connect(edges);

/** `{ array, leaseId?, leaseSeconds?, owner? }` → `{ leaseId, array, username, expiresAt }`. Never a token. */
export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseLoginRequest(event, context.awsRequestId),
    (request, deadline) => openSession(edges, request, deadline),
  );
