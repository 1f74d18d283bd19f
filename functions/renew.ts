/** Extends a lease and keeps its session alive. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../lib/core/model.ts';
import { connect, functionPorts, invoke } from '../lib/lambda/invocation.ts';
import { renewLease } from '../lib/leases/renew.ts';
import { parseRenewRequest } from '../lib/leases/requests.ts';

const ports = functionPorts();
await connect(ports);

/** `{ leaseId, expiresAt }` → `{ leaseId, array, username, expiresAt }`. Safe to repeat, because `expiresAt` is absolute. */
export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseRenewRequest(event),
    (request, deadline) => renewLease(ports, request, deadline),
  );
