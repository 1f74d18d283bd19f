/** What can go wrong on demand, and when it is the next one's turn. */
import type { Reply } from './reply.ts';

/** Before any TLS: `refuse` stops listening, so it has no `times`; the others meet one connection each time. */
export type ConnectionFault = {
  readonly kind: 'refuse' | 'reset-at-accept' | 'hang-at-accept' | 'hang-in-handshake' | 'plain-text';
};

/** The answer is another one. What is not given stays as the array meant it. */
export type AnswerFault = {
  readonly kind: 'answer';
  readonly status?: number;
  /** Replace headers of the same name. */
  readonly headers?: Reply['headers'];
  readonly withoutHeaders?: readonly string[];
  readonly body?: string;
};

/** The answer is the array's own, but does not arrive as it should. */
export type DeliveryFault =
  | { readonly kind: 'hang'; readonly at: 'before-headers' | 'in-headers' | 'in-body' }
  | { readonly kind: 'reset' }
  /** Ends the connection after so many bytes of the answer, status line and headers included. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** One byte per interval, in milliseconds. */
  | { readonly kind: 'trickle'; readonly intervalMs: number }
  | { readonly kind: 'garbage' }
  /** Answers with these 1xx statuses first. */
  | { readonly kind: 'informational'; readonly statuses: readonly number[] }
  /** 101, and then silence. */
  | { readonly kind: 'upgrade' };

export type RequestFault = (AnswerFault | DeliveryFault) & {
  readonly method?: string;
  /** A string must equal the path without its query. Default: every path. */
  readonly path?: string | RegExp;
  /** Whether the array does what it was asked for, so that a session was made or ended. Default true. */
  readonly act?: boolean;
};

/** How often it happens. Default: until it is removed. */
type Timed = { readonly times?: number };

export type Fault = (ConnectionFault | RequestFault) & Timed;

export type FaultHandle = {
  /** How often it happened. */
  readonly happened: () => number;
  /** Resolves when the array is as it was, that is, listens again after `refuse`. */
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

/** `onRefusal` starts or stops listening, when the first `refuse` comes or the last one goes. */
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

  /** The fault that the next connection meets, counted as happened. */
  const takeForConnection = (): ConnectionFault | undefined => take(isConnectionFault);

  /** The fault that the next request meets, the one added first, counted as happened. */
  const takeForRequest = (method: string, path: string): RequestFault | undefined =>
    take((fault): fault is RequestFault => !isConnectionFault(fault) && isFor(fault, method, path));

  return { add, clear, takeForConnection, takeForRequest };
}

function isFor({ method, path }: RequestFault, actualMethod: string, actualPath: string): boolean {
  if (method !== undefined && method !== actualMethod) return false;
  if (path === undefined) return true;
  return typeof path === 'string' ? path === actualPath : actualPath.search(path) >= 0;
}
