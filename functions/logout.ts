/** Closes the session of a lease. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import { parseLogoutRequest } from '../lib/ground/requests.ts';
import { connect, functionClosingEdges, invoke } from '../lib/lambda/invocation.ts';
import { type CloseResult, closeSession } from '../lib/story/close-session.ts';

const edges = functionClosingEdges();
await connect(edges);

/** `{ leaseId }` → `{ leaseId, array?, outcome }`. Repeatable. */
export const handler = (event: unknown, context: Context): Promise<CloseResult> =>
  invoke(
    context,
    () => parseLogoutRequest(event),
    ({ leaseId }, deadline) => closeSession(edges, leaseId, deadline),
  );
