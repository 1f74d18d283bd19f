/**
 * A server that the verifier calls to set up a state on a target. If a state cannot be set up, the server responds with
 * 422, because the verifier would ignore a missing handler and would retry for minutes after a 5xx.
 */
import { randomUUID } from 'node:crypto';
import { definitionOf } from '../states.ts';
import type { Target } from '../targets/target.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';

export type Values = Readonly<Record<string, unknown>>;
type AnyHandler = (parameters: Values) => Promise<Values>;

/** The state parameter and the request header that say to which interaction of the pact a state or a request belongs. */
export const INTERACTION = 'flashblade-sessions-interaction';

/** What is being verified. Everything is empty for an interaction without states. */
export type Arrangement = {
  /** The value of the parameter `INTERACTION`. */
  readonly interaction: string;
  readonly states: readonly string[];
  /** What the states returned. */
  readonly values: Values;
};

const NOTHING: Arrangement = { interaction: '', states: [], values: {} };

export type StateServer = LoopbackServer & { readonly current: () => Arrangement };

/** Calls `onFailure` for each state that cannot be set up. */
export async function startStateServer(
  target: Target,
  onFailure: (interaction: string, error: Error) => void,
): Promise<StateServer> {
  // The server returns tokens, so clients need a secret path to call it.
  const path = `/${randomUUID()}`;
  let current = NOTHING;

  const valuesFor = async (text: string): Promise<Values> => {
    const { state, action, params } = requestOf(text);
    const { [INTERACTION]: id, ...parameters } = params;
    const interaction = typeof id === 'string' ? id : '';
    const isNew = action === 'teardown' || state === '' || interaction === '' || interaction !== current.interaction;
    if (isNew) {
      current = { ...NOTHING, interaction };
      await target.reset();
    }
    if (action === 'teardown' || state === '') return {};
    current = { ...current, states: [...current.states, state] };
    try {
      const values = await arrange(target, state, parameters);
      current = { ...current, values: { ...current.values, ...values } };
      return values;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'an unexpected error';
      onFailure(interaction, new Error(`the state "${state}" could not be set up: ${why}`, { cause: error }));
      throw error;
    }
  };

  const server = await startLoopback(async (request, body, response) => {
    response.setHeader('Content-Type', 'application/json');
    if (request.url !== path) return void response.writeHead(404).end('{}');
    try {
      response.end(JSON.stringify(await valuesFor(body)));
    } catch {
      response.writeHead(422).end('{}');
    }
  });
  return { ...server, url: server.url + path, current: () => current };
}

function requestOf(text: string): { state: string; action: string; params: Values } {
  const { state, action, params } = Object(JSON.parse(text)) as Values;
  return {
    state: typeof state === 'string' ? state : '',
    action: typeof action === 'string' ? action : '',
    params: Object(params) as Values,
  };
}

/**
 * Sets up a state. Returns the values that the vocabulary requires for it. Throws an Error if the state is not in the vocabulary, the
 * target has no handler for it, a parameter is missing, or the handler fails or omits a value.
 */
async function arrange(target: Target, state: string, parameters: Values): Promise<Values> {
  const definition = definitionOf(state);
  if (definition === undefined) throw new Error('it is not one of the states in docs/contracts.md');
  const handlers: Readonly<Record<string, unknown>> = target.handlers;
  const handler = handlers[state];
  if (!isHandler(handler))
    throw new Error('this target has no handler for the state. Verify the pact against the simulator');
  const missing = definition.parameters.filter((name) => typeof parameters[name] !== 'string');
  if (missing.length > 0) throw new Error(`its parameter ${missing.join(', ')} is missing. Add it to the interaction`);

  const values = await handler(parameters);
  const absent = definition.returns.filter((name) => typeof values[name] !== 'string');
  if (absent.length === 0) return values;
  throw new Error(`its handler did not return ${absent.join(', ')}. Fix the target's handler`);
}

const isHandler = (value: unknown): value is AnyHandler => typeof value === 'function';
