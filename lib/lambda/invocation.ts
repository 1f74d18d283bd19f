/** What all functions have in common: their edges, a deadline, one line for a failure, no connection that outlives the invocation. */
import type { Context } from 'aws-lambda';
import { closeConnections } from '../edges/flashblade/transport.ts';
import { readConfig } from '../ground/config.ts';
import { known } from '../ground/errors.ts';
import { type Edges, edgesOf } from '../story/edges.ts';
import { beginInvocation, report } from './telemetry.ts';

/** Once per process, at cold start. Throws CONFIG_INVALID. */
export const functionEdges = (): Edges => edgesOf(readConfig(process.env), report);

/**
 * Runs one invocation. `work` gets the function's deadline (epoch, ms). Whatever it throws leaves as a FlashBladeError, whose name is
 * its code, and is reported once.
 */
export async function invoke<Result>(context: Context, work: (deadline: number) => Promise<Result>): Promise<Result> {
  beginInvocation(context);
  try {
    return await work(Date.now() + context.getRemainingTimeInMillis());
  } catch (error) {
    const failure = known(error);
    report({ event: 'InvocationFailed', code: failure.code, status: failure.facts.status, message: failure.message });
    throw failure;
  } finally {
    // A frozen function thaws with dead sockets.
    closeConnections();
  }
}
