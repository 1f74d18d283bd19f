/** Which connections may be used again, and until when. One agent per array and trust. */
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { FlashBlade } from '../../ground/model.ts';
import { remember } from './recent.ts';
import { connectTls, openSockets } from './tls.ts';

const MAX_AGENTS = 1024;
/** Each holds memory, and one of the 1024 files that Lambda lets a process open. */
const MAX_IDLE = 128;

/** What a request must carry so that its agent can open a connection within the request's own time. */
export type ConnectOptions = RequestOptions & { readonly connectMs: number };

const agents = new Map<string, Agent>();
/** Connections that wait for another request: epoch, ms of the last answer, longest ago first. */
const idleSince = new Map<Duplex, number>();

/** The agent of this array under this trust. An agent shared by two would send one's token over the other's socket. */
export function agentOf(array: FlashBlade, place: string): Agent {
  const agent = agents.get(place) ?? createAgent(array);
  const retired = remember(agents, place, agent, MAX_AGENTS);
  if (retired !== undefined) dropIdle(retired, 0, Date.now());
  return agent;
}

function createAgent(array: FlashBlade): Agent {
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
  const { reuseSocket } = agent;
  agent.getName = () => 'the array';
  agent.createConnection = (options: ConnectOptions, done) => {
    connectTls(array, options.connectMs, (error, socket) => {
      socket.once('close', () => idleSince.delete(socket));
      done?.(error, socket);
    });
    return undefined;
  };
  // Node's own would also have the system probe the array every second, for connections that live as long as an invocation.
  agent.keepSocketAlive = (socket) => {
    markIdle(socket, Date.now());
    (socket as TLSSocket).unref();
    return true;
  };
  agent.reuseSocket = (socket, request) => {
    idleSince.delete(socket);
    reuseSocket.call(agent, socket, request);
  };
  return agent;
}

/** Of too many idle connections, the one that has been so for longest is closed. */
function markIdle(socket: Duplex, nowMs: number): void {
  idleSince.set(socket, nowMs);
  const [longest] = idleSince.keys();
  if (idleSince.size <= MAX_IDLE || longest === undefined) return;
  // Its 'close' comes later, and until then others become idle, too.
  idleSince.delete(longest);
  longest.destroy();
}

/** Closes the idle connections that were last used `ageMs` ago or longer. */
export function dropIdle(agent: Agent, ageMs: number, nowMs: number): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) if (nowMs - (idleSince.get(socket) ?? 0) >= ageMs) socket.destroy();
  }
}

/**
 * Ends every connection of this process; what is under way fails with ARRAY_UNREACHABLE. TLS sessions are kept, so that
 * the next connection to an array is cheaper. Call it when an invocation ends: a frozen process thaws with dead sockets.
 */
export function closeConnections(): void {
  for (const socket of openSockets) socket.destroy();
}
