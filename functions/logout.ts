/** Closes a lease and its session. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import { connect, functionClosingPorts, invoke } from '../lib/lambda/invocation.ts';
import { type CloseResult, closeSession } from '../lib/leases/close.ts';
import { parseLogoutRequest } from '../lib/leases/requests.ts';

const ports = functionClosingPorts();
await connect(ports);

/** `{ leaseId }` → `{ leaseId, array?, outcome }`. Safe to repeat. */
export const handler = (event: unknown, context: Context): Promise<CloseResult> =>
  invoke(
    context,
    () => parseLogoutRequest(event),
    ({ leaseId }, deadline) => closeSession(ports, leaseId, deadline),
  );
