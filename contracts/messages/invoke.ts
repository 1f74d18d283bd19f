/** Runs the invocable functions with in-memory ports, as in functions/ but without the Lambda handlers. */

import { VARIABLES } from '../../lib/core/config.ts';
import { checkFleet } from '../../lib/fleet/check.ts';
import { allowedCalls, callArray } from '../../lib/leases/call-array.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { openSession } from '../../lib/leases/open.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { renewLease } from '../../lib/leases/renew.ts';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../lib/leases/requests.ts';
import { sweep } from '../../lib/leases/sweep.ts';
import { functionOf, type InvokedFunction } from './vocabulary.ts';

type Work = (ports: Ports, input: unknown, deadline: number) => Promise<unknown>;

const FUNCTIONS: Readonly<Record<InvokedFunction, Work>> = {
  login: (ports, input, deadline) => openSession(ports, parseLoginRequest(input, 'invocation-7'), deadline),
  logout: (ports, input, deadline) => closeSession(ports, parseLogoutRequest(input).leaseId, deadline),
  renew: (ports, input, deadline) => renewLease(ports, parseRenewRequest(input), deadline),
  'call-array': (ports, input, deadline) =>
    callArray(ports, allowedCalls(VARIABLES.ALLOWED_CALLS.default), parseCallRequest(input), deadline),
  'check-fleet': (ports, input, deadline) => checkFleet(ports, parseFleetRequest(input), deadline),
  'sweep-sessions': (ports, _input, deadline) => sweep(ports, deadline),
};

const isInvoked = (name: string): name is InvokedFunction => Object.hasOwn(FUNCTIONS, name);

/**
 * Runs the function named in `description` and returns its result. For functions other than login, first opens the lease named in the
 * input.
 */
export async function invoke(ports: Ports, description: string, input: unknown, deadline: number): Promise<unknown> {
  const name = functionOf(description);
  if (!isInvoked(name))
    throw new Error(`no function handles "${description}". Add the function to contracts/messages/vocabulary.ts.`);
  const { leaseId }: { leaseId?: unknown } = Object(input);
  if (name !== 'login' && typeof leaseId === 'string')
    await openSession(ports, { array: 'fb1', leaseId, leaseSeconds: 900 }, deadline);
  return FUNCTIONS[name](ports, input, deadline);
}
