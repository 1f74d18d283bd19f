/** Checks every array of the fleet, or those that are named. Invoked by a schedule, or by Step Functions. */
import type { Context } from 'aws-lambda';
import { parseFleetRequest } from '../lib/ground/requests.ts';
import { functionEdges, invoke } from '../lib/lambda/invocation.ts';
import { checkFleet } from '../lib/story/check-fleet.ts';
import type { FleetResult } from '../lib/story/fleet-result.ts';

const edges = functionEdges();

/** `{ arrays? }` → `{ checked, healthy, unhealthy, warnings, unknownSessions }`. */
export const handler = (event: unknown, context: Context): Promise<FleetResult> =>
  invoke(
    context,
    () => parseFleetRequest(event),
    (request, deadline) => checkFleet(edges, request, deadline),
  );
