/**
 * A server that the verifier calls to set up a state on a target. If a state cannot be set up, the server responds with
 * 422, because the verifier would ignore a missing handler and would retry for minutes after a 5xx.
 */
import { randomUUID } from 'node:crypto';
import type { Target } from '../targets/target.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';
import { arrange, type Values } from './states.ts';

export type StateServer = LoopbackServer & {
  /** The error for each state that could not be set up. */
  readonly failures: ReadonlyMap<string, string>;
  /** The last requested state. Empty for an interaction without a state. */
  readonly current: () => string;
};

export async function startStateServer(target: Target): Promise<StateServer> {
  const failures = new Map<string, string>();
  // The server returns tokens, so clients need a secret path to call it.
  const path = `/${randomUUID()}`;
  let current = '';

  const valuesFor = async (text: string): Promise<Values> => {
    const { state, action, params } = requestOf(text);
    if (action === 'teardown' || state === '') {
      if (action !== 'teardown') current = state;
      await target.reset();
      return {};
    }
    current = state;
    try {
      return await arrange(target, state, params);
    } catch (error) {
      const why = error instanceof Error ? error.message : 'an unexpected error';
      failures.set(state, `the state "${state}" could not be set up: ${why}`);
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
  return { ...server, url: server.url + path, failures, current: () => current };
}

function requestOf(text: string): { state: string; action: string; params: Values } {
  const { state, action, params } = Object(JSON.parse(text)) as Values;
  return {
    state: typeof state === 'string' ? state : '',
    action: typeof action === 'string' ? action : '',
    params: Object(params) as Values,
  };
}
