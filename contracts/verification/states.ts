/** Brings a target into a state, or says why it cannot. */
import { definitionOf } from '../states.ts';
import type { Target } from '../targets/target.ts';

export type Values = Readonly<Record<string, unknown>>;
type AnyHandler = (parameters: Values) => Promise<Values>;

/**
 * What the state gives back, all that the vocabulary promises. Throws an Error: a state that is not in the vocabulary or
 * that this target cannot arrange, a missing parameter, a failure of the handler, a value that the handler did not give back.
 */
export async function arrange(target: Target, state: string, parameters: Values): Promise<Values> {
  const definition = definitionOf(state);
  if (definition === undefined)
    throw new Error('it is not in the vocabulary. Add it to contracts/states.ts, or use a state from there');
  const handlers: Readonly<Record<string, unknown>> = target.handlers;
  const handler = handlers[state];
  if (!isHandler(handler)) throw new Error('this target has no handler for it. Verify it against the simulator');
  const missing = definition.parameters.filter((name) => typeof parameters[name] !== 'string');
  if (missing.length > 0) throw new Error(`its parameter ${missing.join(', ')} is missing. Give it in the interaction`);

  await target.reset();
  const values = await handler(parameters);
  const withheld = definition.returns.filter((name) => typeof values[name] !== 'string');
  if (withheld.length === 0) return values;
  throw new Error(`its handler did not give back ${withheld.join(', ')}. Return it from the target's handler`);
}

const isHandler = (value: unknown): value is AnyHandler => typeof value === 'function';
