/** The faults that tests inject, and the list that selects the fault for the next connection or request. */
import type { Reply } from './reply.ts';

/** Faults before the TLS handshake. `refuse` stops listening and ignores `times`. The others affect one connection each time. */
export type ConnectionFault = {
  readonly kind: 'refuse' | 'reset-at-accept' | 'hang-at-accept' | 'hang-in-handshake' | 'plain-text';
};

/** Changes the response. Omitted fields keep the array's own values. */
export type AnswerFault = {
  readonly kind: 'answer';
  readonly status?: number;
  /** They replace headers with the same name. */
  readonly headers?: Reply['headers'];
  readonly withoutHeaders?: readonly string[];
  readonly body?: string;
};

/** Keeps the array's own response but breaks its delivery. */
export type DeliveryFault =
  | { readonly kind: 'hang'; readonly at: 'before-headers' | 'in-headers' | 'in-body' }
  | { readonly kind: 'reset' }
  /** Ends the connection after this many bytes of the response, including status line and headers. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends one byte per interval. */
  | { readonly kind: 'trickle'; readonly intervalMs: number }
  | { readonly kind: 'garbage' }
  /** Sends these 1xx responses first. */
  | { readonly kind: 'informational'; readonly statuses: readonly number[] }
  /** Sends status 101 and nothing else. */
  | { readonly kind: 'upgrade' };

export type RequestFault = (AnswerFault | DeliveryFault) & {
  readonly method?: string;
  /** A string must equal the path without the query. Default: every path. */
  readonly path?: string | RegExp;
  /** Whether the array acts on the request, for example opens or ends a session. Default: true. */
  readonly act?: boolean;
};

/** How often the fault occurs. Default: until it is removed. */
type Timed = { readonly times?: number };

export type Fault = (ConnectionFault | RequestFault) & Timed;

export type FaultHandle = {
  /** How often the fault has occurred. */
  readonly happened: () => number;
  /** Removes the fault. Resolves once the array is back to normal; after `refuse`, once it listens again. */
  readonly remove: () => Promise<void>;
};

const IS_CONNECTION_KIND: Readonly<Record<Fault['kind'], boolean>> = {
  refuse: true,
  'reset-at-accept': true,
  'hang-at-accept': true,
  'hang-in-handshake': true,
  'plain-text': true,
  answer: false,
  hang: false,
  reset: false,
  cut: false,
  trickle: false,
  garbage: false,
  informational: false,
  upgrade: false,
};

export const FAULT_KINDS = Object.keys(IS_CONNECTION_KIND);

const isConnectionFault = (fault: Fault): fault is ConnectionFault & Timed => IS_CONNECTION_KIND[fault.kind];

type Entry = { readonly fault: Fault; happened: number };

export type Faults = ReturnType<typeof createFaults>;

/** Calls `onRefusal` when the first `refuse` is added (`true`) and when the last one is removed (`false`). */
export function createFaults(onRefusal: (refuse: boolean) => Promise<void>) {
  let entries: Entry[] = [];

  const refuses = () => entries.some(({ fault }) => fault.kind === 'refuse');

  async function replace(next: Entry[]): Promise<void> {
    const before = refuses();
    entries = next;
    if (refuses() !== before) await onRefusal(refuses());
  }

  function add(fault: Fault): FaultHandle {
    const entry = { fault, happened: 0 };
    void replace([...entries, entry]);
    return { happened: () => entry.happened, remove: () => replace(entries.filter((other) => other !== entry)) };
  }

  const clear = (): Promise<void> => replace([]);

  function take<Kind extends Fault>(matches: (fault: Fault) => fault is Kind): Kind | undefined {
    for (const entry of entries) {
      if (entry.happened >= (entry.fault.times ?? Number.POSITIVE_INFINITY) || !matches(entry.fault)) continue;
      entry.happened += 1;
      return entry.fault;
    }
    return undefined;
  }

  /** The fault for the next connection. Counts it. */
  const takeForConnection = (): ConnectionFault | undefined => take(isConnectionFault);

  /** The oldest fault that matches the next request. Counts it. */
  const takeForRequest = (method: string, path: string): RequestFault | undefined =>
    take((fault): fault is RequestFault => !isConnectionFault(fault) && isFor(fault, method, path));

  return { add, clear, takeForConnection, takeForRequest };
}

function isFor({ method, path }: RequestFault, actualMethod: string, actualPath: string): boolean {
  if (method !== undefined && method !== actualMethod) return false;
  if (path === undefined) return true;
  return typeof path === 'string' ? path === actualPath : actualPath.search(path) >= 0;
}
