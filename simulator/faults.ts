/** Defines the faults that tests can inject, and selects the fault for each connection and request. */
import type { Reply } from './reply.ts';

/**
 * Faults that occur before the TLS handshake is complete. `refuse` makes the array stop listening and ignores `times`. Every
 * other fault affects one connection per occurrence.
 */
export type ConnectionFault = {
  readonly kind: 'refuse' | 'reset-at-accept' | 'hang-at-accept' | 'hang-in-handshake' | 'plain-text';
};

/** Changes the response. Omitted fields keep the array's own values. */
export type AnswerFault = {
  readonly kind: 'answer';
  readonly status?: number;
  /** Headers to add or replace. */
  readonly headers?: Reply['headers'];
  readonly withoutHeaders?: readonly string[];
  readonly body?: string;
};

/** Disrupts the delivery of the response, which is otherwise unchanged. */
export type DeliveryFault =
  | { readonly kind: 'hang'; readonly at: 'before-headers' | 'in-headers' | 'in-body' }
  | { readonly kind: 'reset' }
  /** Ends the connection after this many bytes of the response, including the status line and headers. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends one byte per interval. */
  | { readonly kind: 'trickle'; readonly intervalMs: number }
  | { readonly kind: 'garbage' }
  /** Sends these 1xx responses before the final response. */
  | { readonly kind: 'informational'; readonly statuses: readonly number[] }
  /** Sends status 101 and nothing else. */
  | { readonly kind: 'upgrade' };

export type RequestFault = (AnswerFault | DeliveryFault) & {
  readonly method?: string;
  /** Matches the path without the query. A string must equal the whole path. Default: every path. */
  readonly path?: string | RegExp;
  /** True if the array acts on the request, for example by opening or ending a session. Default: true. */
  readonly act?: boolean;
};

/** How many times the fault occurs. Default: no limit. */
type Timed = { readonly times?: number };

export type Fault = (ConnectionFault | RequestFault) & Timed;

export type FaultHandle = {
  /** How many times the fault has occurred. */
  readonly happened: () => number;
  /** Removes the fault. For `refuse`, resolves once the array is listening again. */
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

/** Calls `onRefusal` with `true` when the first `refuse` is added, and with `false` when the last one is removed. */
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

  /** Returns the fault for the next connection and counts the occurrence. */
  const takeForConnection = (): ConnectionFault | undefined => take(isConnectionFault);

  /** Returns the oldest fault that matches the request and counts the occurrence. */
  const takeForRequest = (method: string, path: string): RequestFault | undefined =>
    take((fault): fault is RequestFault => !isConnectionFault(fault) && isFor(fault, method, path));

  return { add, clear, takeForConnection, takeForRequest };
}

function isFor({ method, path }: RequestFault, actualMethod: string, actualPath: string): boolean {
  if (method !== undefined && method !== actualMethod) return false;
  if (path === undefined) return true;
  return typeof path === 'string' ? path === actualPath : actualPath.search(path) >= 0;
}
