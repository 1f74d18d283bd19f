/** Checks every array in the fleet, or the arrays named in the request. Invoked by a schedule or by Step Functions. */
import type { Context } from 'aws-lambda';
import { checkFleet, type FleetResult } from '../lib/fleet/check.ts';
import { functionPorts, invoke } from '../lib/lambda/invocation.ts';
import { parseFleetRequest } from '../lib/leases/requests.ts';

const ports = functionPorts();

/** `{ arrays? }` → `{ checked, healthy, unhealthy, warnings, unknownSessions, omitted? }`. */
export const handler = (event: unknown, context: Context): Promise<FleetResult> =>
  invoke(
    context,
    () => parseFleetRequest(event),
    (request, deadline) => checkFleet(ports, request, deadline),
  );
