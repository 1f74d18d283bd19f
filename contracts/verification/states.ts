/** Sets up a state on a target. */
import { definitionOf } from '../states.ts';
import type { Target } from '../targets/target.ts';

export type Values = Readonly<Record<string, unknown>>;
type AnyHandler = (parameters: Values) => Promise<Values>;

/**
 * Returns the values that the vocabulary requires for the state. Throws an Error if the state is not in the vocabulary, the
 * target has no handler for it, a parameter is missing, or the handler fails or omits a value.
 */
export async function arrange(target: Target, state: string, parameters: Values): Promise<Values> {
  const definition = definitionOf(state);
  if (definition === undefined)
    throw new Error('it is not in the vocabulary. Add it to contracts/states.ts, or use a state from that file');
  const handlers: Readonly<Record<string, unknown>> = target.handlers;
  const handler = handlers[state];
  if (!isHandler(handler))
    throw new Error('this target has no handler for the state. Verify the pact against the simulator');
  const missing = definition.parameters.filter((name) => typeof parameters[name] !== 'string');
  if (missing.length > 0) throw new Error(`its parameter ${missing.join(', ')} is missing. Add it to the interaction`);

  await target.reset();
  const values = await handler(parameters);
  const absent = definition.returns.filter((name) => typeof values[name] !== 'string');
  if (absent.length === 0) return values;
  throw new Error(`its handler did not return ${absent.join(', ')}. Fix the target's handler`);
}

const isHandler = (value: unknown): value is AnyHandler => typeof value === 'function';
