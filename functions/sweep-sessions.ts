/** Closes what nobody closed. Invoked by a schedule, about every minute; its input does not matter. */
import type { Context } from 'aws-lambda';
import { functionClosingEdges, invoke } from '../lib/lambda/invocation.ts';
import { type SweepResult, sweep } from '../lib/story/sweep.ts';

const edges = functionClosingEdges();

/** → counts of what was found and done. */
export const handler = (_event: unknown, context: Context): Promise<SweepResult> =>
  invoke(
    context,
    () => ({}),
    (_request, deadline) => sweep(edges, deadline),
  );
