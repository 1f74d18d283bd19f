/** What all functions have in common: their edges, a deadline, one line for a failure, no connection that outlives the invocation. */
import type { Context } from 'aws-lambda';
import { closeConnections } from '../edges/flashblade/transport.ts';
import { type Config, readConfig } from '../ground/config.ts';
import { known } from '../ground/errors.ts';
import { leaseKey } from '../ground/lease-items.ts';
import { type ClosingEdges, closingEdgesOf, type Edges, edgesOf, harmless } from '../story/edges.ts';
import { report } from './telemetry.ts';

/** This function's configuration. Throws CONFIG_INVALID. */
export const functionConfig = (): Config => readConfig(process.env);

/** This function's edges. Once per process, at cold start. Throws CONFIG_INVALID. */
export const functionEdges = (): Edges => edgesOf(functionConfig(), report);

/** The same for a function that only closes sessions. */
export const functionClosingEdges = (): ClosingEdges => closingEdgesOf(functionConfig(), report);

const CONNECT_MS = 1000;

/**
 * Reads a lease that is none, while the function starts: Lambda gives a start a whole processor and an invocation, for which somebody
 * waits, a part of one. What is wrong is told by the first invocation.
 */
export async function connect(edges: ClosingEdges): Promise<void> {
  await edges.leases.read(leaseKey(''), Date.now() + CONNECT_MS).catch(() => {});
}

type Facts = { readonly leaseId?: string; readonly array?: string };

/**
 * Runs one invocation: checks the request, does the work. `work` gets the function's deadline (epoch, ms). Whatever is thrown leaves as
 * a FlashBladeError, whose name is its code, and is reported once.
 */
export async function invoke<Request extends object, Result>(
  context: Context,
  parse: () => Request,
  work: (request: Request, deadline: number) => Promise<Result>,
): Promise<Result> {
  // Only what was checked is logged.
  let facts: Facts = {};
  try {
    const request = parse();
    const { leaseId, array }: Facts = request;
    facts = { ...(leaseId === undefined ? {} : { leaseId }), ...(array === undefined ? {} : { array }) };
    return await work(request, Date.now() + context.getRemainingTimeInMillis());
  } catch (error) {
    const failure = known(error);
    const { code, message } = failure;
    harmless(report)({ event: 'InvocationFailed', ...facts, code, status: failure.facts.status, message });
    throw failure;
  } finally {
    // A frozen function thaws with dead sockets.
    closeConnections();
  }
}
