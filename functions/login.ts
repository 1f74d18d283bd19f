/** Opens a session on one array under a lease. Invoked directly, by Step Functions or by EventBridge Scheduler. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../lib/core/model.ts';
import { connect, functionPorts, invoke } from '../lib/lambda/invocation.ts';
import { openSession } from '../lib/leases/open.ts';
import { parseLoginRequest } from '../lib/leases/requests.ts';

const ports = functionPorts();
await connect(ports);

/** `{ array, leaseId?, leaseSeconds?, owner? }` → `{ leaseId, array, username, expiresAt }`. The result never contains a token. */
export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseLoginRequest(event, context.awsRequestId),
    (request, deadline) => openSession(ports, request, deadline),
  );
