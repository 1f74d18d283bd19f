/** The functions that are invoked, over a world in memory: each as in functions/, without what Lambda adds. */
import { allowedCalls } from '../../lib/ground/allowed-calls.ts';
import { VARIABLES } from '../../lib/ground/config.ts';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../lib/ground/requests.ts';
import { callArray } from '../../lib/story/call-array.ts';
import { checkFleet } from '../../lib/story/check-fleet.ts';
import { closeSession } from '../../lib/story/close-session.ts';
import type { Edges } from '../../lib/story/edges.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { renewLease } from '../../lib/story/renew-lease.ts';
import { sweep } from '../../lib/story/sweep.ts';
import { functionOf, type InvokedFunction } from './vocabulary.ts';

type Work = (edges: Edges, input: unknown, deadline: number) => Promise<unknown>;

const FUNCTIONS: Readonly<Record<InvokedFunction, Work>> = {
  login: (edges, input, deadline) => openSession(edges, parseLoginRequest(input, 'invocation-7'), deadline),
  logout: (edges, input, deadline) => closeSession(edges, parseLogoutRequest(input).leaseId, deadline),
  renew: (edges, input, deadline) => renewLease(edges, parseRenewRequest(input), deadline),
  'call-array': (edges, input, deadline) =>
    callArray(edges, allowedCalls(VARIABLES.ALLOWED_CALLS.default), parseCallRequest(input), deadline),
  'check-fleet': (edges, input, deadline) => checkFleet(edges, parseFleetRequest(input), deadline),
  'sweep-sessions': (edges, _input, deadline) => sweep(edges, deadline),
};

const isInvoked = (name: string): name is InvokedFunction => Object.hasOwn(FUNCTIONS, name);

/** What the function that `description` names answers. The lease of the input is open, unless it is what the function opens. */
export async function invoke(edges: Edges, description: string, input: unknown, deadline: number): Promise<unknown> {
  const name = functionOf(description);
  if (!isInvoked(name)) throw new Error(`nobody sends "${description}". Add it to contracts/messages/vocabulary.ts.`);
  const { leaseId }: { leaseId?: unknown } = Object(input);
  if (name !== 'login' && typeof leaseId === 'string')
    await openSession(edges, { array: 'fb1', leaseId, leaseSeconds: 900 }, deadline);
  return FUNCTIONS[name](edges, input, deadline);
}
