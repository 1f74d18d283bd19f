/** Connects to AWS in the same way as to an array, through whichever of an endpoint's addresses accepts the connection first. */
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectTcp } from '../core/connect-tcp.ts';

/** The SDK's default. */
const MAX_SOCKETS = 50;

type Done = (error: Error | null, socket: Duplex) => void;
/** The options that Node passes, including one that it does not document: the key in `sockets`. */
type Options = RequestOptions & { readonly _agentKey?: string };

/**
 * Gives every address time to respond. Node's own agent gives up on an address after 250 ms if the endpoint has others. `connectMs` is the
 * time limit for opening one connection.
 */
export class AwsAgent extends Agent {
  readonly #connectMs: number;
  #failure: { readonly at: number; readonly what: string } | undefined;

  constructor(connectMs: number, options: AgentOptions = {}) {
    super({ keepAlive: true, maxSockets: MAX_SOCKETS, ...options });
    this.#connectMs = connectMs;
  }

  /**
   * Returns each address's outcome in the latest failed connection, in parentheses, or an empty string if none failed since `sinceMs`.
   */
  triedSince(sinceMs: number): string {
    return this.#failure !== undefined && this.#failure.at >= sinceMs ? ` (${this.#failure.what})` : '';
  }

  override createConnection(options: Options, done: Done): undefined {
    const { _agentKey: key = '', host, port } = options;
    const end = (): void => {
      clearTimeout(timer);
      const at = sockets.indexOf(connecting);
      if (at >= 0) sockets.splice(at, 1);
    };
    const fail = (code: string): void => {
      const what = `${host}: ${connecting.tried() || code}`;
      this.#failure = { at: Date.now(), what };
      end();
      connecting.destroy();
      done(Object.assign(new Error(what), { code }), undefined as never);
    };
    const connecting = connectTcp({ host: String(host), port: Number(port) }, this.#connectMs, (made) => {
      if (!(made instanceof Socket)) return fail(made.code ?? 'ECONNREFUSED');
      end();
      done(null, super.createConnection({ ...options, socket: made } as Options) as Duplex);
    });
    // The check is deferred with setImmediate, because after a long process pause, the connection may already be established.
    const timer = setTimeout(
      () => setImmediate(() => sockets.includes(connecting) && fail('ETIMEDOUT')),
      this.#connectMs,
    );
    // Node counts a connection only once it exists. Count it now, or a burst of requests would exceed the limit.
    const all = this.sockets as Record<string, unknown[] | undefined>;
    const sockets = all[key] ?? [];
    all[key] = sockets;
    sockets.push(connecting);
    return undefined;
  }
}
