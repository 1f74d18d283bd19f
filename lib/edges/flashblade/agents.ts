/** Which connections may be used again, and until when. One agent per array and trust. */
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { FlashBlade } from '../../ground/model.ts';
import { remember } from './recent.ts';
import { connectTls, openSockets } from './tls.ts';

const MAX_AGENTS = 1024;

/** What a request must carry so that its agent can open a connection within the request's own time. */
export type ConnectOptions = RequestOptions & { readonly connectMs: number };

const agents = new Map<string, Agent>();
const usedAt = new WeakMap<Duplex, number>();

/** The agent of this array under this trust. An agent shared by two would send one's token over the other's socket. */
export function agentOf(array: FlashBlade, place: string): Agent {
  const agent = agents.get(place) ?? createAgent(array);
  const retired = remember(agents, place, agent, MAX_AGENTS);
  if (retired !== undefined) dropIdle(retired, 0, Date.now());
  return agent;
}

function createAgent(array: FlashBlade): Agent {
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
  agent.getName = () => 'the array';
  agent.createConnection = (options: ConnectOptions, done) => {
    connectTls(array, options.connectMs, (error, socket) => done?.(error, socket));
    return undefined;
  };
  return agent;
}

/** Notes that an answer was read from this socket completely. */
export const markUsed = (socket: Duplex, nowMs: number): void => {
  usedAt.set(socket, nowMs);
};

/** Closes the idle connections that were last used `ageMs` ago or longer. */
export function dropIdle(agent: Agent, ageMs: number, nowMs: number): void {
  const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  for (const socket of idle) {
    if (nowMs - (usedAt.get(socket) ?? Number.NEGATIVE_INFINITY) >= ageMs) socket.destroy();
  }
}

/**
 * Ends every connection of this process; what is under way fails with ARRAY_UNREACHABLE. TLS sessions are kept, so that
 * the next connection to an array is cheaper. Call it when an invocation ends: a frozen process thaws with dead sockets.
 */
export function closeConnections(): void {
  for (const socket of openSockets) socket.destroy();
}
