/** Closes overdue sessions. Invoked by a schedule about every minute. The input is ignored. */
import type { Context } from 'aws-lambda';
import { invoke } from '../lib/lambda/invocation.ts';
import { functionSweepPorts } from '../lib/lambda/sweep-ports.ts';
import { type SweepResult, sweep } from '../lib/leases/sweep.ts';

const ports = functionSweepPorts();

/** Returns the sweep's counts. */
export const handler = (_event: unknown, context: Context): Promise<SweepResult> =>
  invoke(
    context,
    () => ({}),
    (_request, deadline) => sweep(ports, deadline),
  );
