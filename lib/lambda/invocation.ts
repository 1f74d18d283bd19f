/** What all functions share: their ports, a deadline, one report per failure, and no connection that outlives the invocation. */
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
 * Runs one invocation: checks the request, then does the work until the function's deadline (epoch, ms). Every error is reported once
 * and leaves as a FlashBladeError, whose name is its code.
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
    // Lambda freezes the process between invocations, and its sockets die meanwhile.
    closeConnections();
  }
}

/** The function's configuration. Throws CONFIG_INVALID. */
export const functionConfig = (): Config => readConfig(process.env);

/** The function's ports. Call it once, at cold start. Throws CONFIG_INVALID. */
export const functionPorts = (): Ports => createPorts(functionConfig(), report);

/** The ports of a function that only closes sessions. Call it once, at cold start. Throws CONFIG_INVALID. */
export const functionClosingPorts = (): ClosingPorts => createClosingPorts(functionConfig(), report);

const CONNECT_MS = 1000;

/**
 * Connects to the ledger at cold start, by reading a lease that does not exist. Lambda gives a cold start a whole CPU, and an invocation,
 * for which a caller waits, only a part of one. Errors are ignored: the first invocation meets them again and reports them.
 */
export async function connect(ports: ClosingPorts): Promise<void> {
  await ports.store.read(leaseKey(''), Date.now() + CONNECT_MS).catch(() => {});
}
