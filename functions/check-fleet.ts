/** Checks arrays, or runs one step of the state machine that checks the whole fleet. Invoked directly or by Step Functions. */
import type { Context } from 'aws-lambda';
import { checkFleet, type FleetResult } from '../lib/fleet/check.ts';
import {
  checkPart,
  concludeCheck,
  type FleetPart,
  type FleetPlan,
  parseFleetStep,
  planCheck,
} from '../lib/fleet/parts.ts';
import { functionPorts, invoke } from '../lib/lambda/invocation.ts';

const ports = functionPorts();

/** `{ arrays? }` → `{ checked, healthy, notChecked, unhealthy, warnings, unknownSessions, omitted? }`. `step`: see lib/fleet/parts.ts. */
export const handler = (
  event: unknown,
  context: Context,
): Promise<FleetResult | FleetPlan | { readonly part: FleetPart }> =>
  invoke(
    context,
    () => parseFleetStep(event),
    async (request, deadline) => {
      if (!('step' in request)) return checkFleet(ports, request, deadline);
      if (request.step === 'plan') return planCheck(ports, deadline);
      if (request.step === 'check') return checkPart(ports, request.part, deadline);
      return concludeCheck(ports, request);
    },
  );
