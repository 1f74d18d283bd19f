/**
 * Code that all functions share. It creates the ports, sets the deadline, reports each failure once, and closes all connections before the
 * invocation ends.
 */
import type { Context } from 'aws-lambda';
import { createClosingPorts, createPorts, harmless } from '../compose.ts';
import { type Config, readConfig } from '../core/config.ts';
import { known } from '../core/errors.ts';
import { closeConnections } from '../flashblade/pool.ts';
import { leaseKey } from '../leases/items.ts';
import type { ClosingPorts, Ports } from '../leases/ports.ts';
import { report } from './metrics.ts';

type Facts = { readonly leaseId?: string; readonly array?: string };

/**
 * Runs one invocation: parses the request, then does the work before the function's deadline (epoch milliseconds). Every error is
 * reported once and thrown as a FlashBladeError, whose name is its code.
 */
export async function invoke<Request extends object, Result>(
  context: Context,
  parse: () => Request,
  work: (request: Request, deadline: number) => Promise<Result>,
): Promise<Result> {
  // Only validated input is logged.
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
    // Lambda freezes the process between invocations, and open sockets would time out in the meantime.
    closeConnections();
  }
}

/** Returns the function's configuration. Throws CONFIG_INVALID. */
export const functionConfig = (): Config => readConfig(process.env);

/** Creates the function's ports. Call this once, at cold start. Throws CONFIG_INVALID. */
export const functionPorts = (): Ports => createPorts(functionConfig(), report);

/** Creates the ports for a function that only closes sessions. Call this once, at cold start. Throws CONFIG_INVALID. */
export const functionClosingPorts = (): ClosingPorts => createClosingPorts(functionConfig(), report);

const CONNECT_MS = 1000;

/**
 * Connects to the ledger at cold start by reading a lease that does not exist. Lambda provides a full CPU during a cold start, but only a
 * fraction of one during an invocation, while the caller is waiting. Errors are ignored, because the first invocation will hit and report
 * the same problem.
 */
export async function connect(ports: ClosingPorts): Promise<void> {
  await ports.store.read(leaseKey(''), Date.now() + CONNECT_MS).catch(() => {});
}
