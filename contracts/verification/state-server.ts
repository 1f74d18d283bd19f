/**
 * Tells the verifier's wishes for states to a target. Answers 422 to what cannot be arranged: the verifier goes on after a
 * missing handler by itself, and repeats a 5xx for minutes.
 */
import { randomUUID } from 'node:crypto';
import type { Target } from '../targets/target.ts';
import { type LoopbackServer, startLoopback } from './loopback.ts';
import { arrange, type Values } from './states.ts';

export type StateServer = LoopbackServer & {
  /** What went wrong, by state. */
  readonly failures: ReadonlyMap<string, string>;
  /** The state that was asked for last; empty for an interaction without one. */
  readonly current: () => string;
};

export async function startStateServer(target: Target): Promise<StateServer> {
  const failures = new Map<string, string>();
  // It gives tokens away: only who was told the address may ask.
  const path = `/${randomUUID()}`;
  let current = '';

  const answer = async (text: string): Promise<Values> => {
    const { state, action, params } = wishOf(text);
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
      failures.set(state, `the state "${state}" could not be arranged: ${why}`);
      throw error;
    }
  };

  const server = await startLoopback(async (request, body, response) => {
    response.setHeader('Content-Type', 'application/json');
    if (request.url !== path) return void response.writeHead(404).end('{}');
    try {
      response.end(JSON.stringify(await answer(body)));
    } catch {
      response.writeHead(422).end('{}');
    }
  });
  return { ...server, url: server.url + path, failures, current: () => current };
}

function wishOf(text: string): { state: string; action: string; params: Values } {
  const { state, action, params } = Object(JSON.parse(text)) as Values;
  return {
    state: typeof state === 'string' ? state : '',
    action: typeof action === 'string' ? action : '',
    params: Object(params) as Values,
  };
}
