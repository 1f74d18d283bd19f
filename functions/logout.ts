/** Closes the session of a lease. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import { type CloseResult, closeSession } from '../lib/close-session.ts';
import { functionEdges, invoke } from '../lib/invocation.ts';
import { parseLogoutRequest } from '../lib/requests.ts';

const edges = functionEdges();

/** `{ leaseId }` → `{ leaseId, array?, outcome }`. Repeatable. */
export const handler = (event: unknown, context: Context): Promise<CloseResult> =>
  invoke(context, async (deadline) => {
    const { leaseId } = parseLogoutRequest(event);
    return closeSession(edges, leaseId, deadline);
  });
