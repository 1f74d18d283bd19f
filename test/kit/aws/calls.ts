/** A call that arrives at a stand-in, the log of calls, and the hooks that observe them. */

/** The prefix of the service's IAM actions. */
export type Service = 'secretsmanager' | 'kms' | 'dynamodb' | 'events' | 'sqs';

/** One request. `body` is the parsed input and `head` is the rest. They may hold secret values: they reach hooks, never the log. */
export type ServiceCall = {
  readonly service: Service;
  readonly action: string;
  /** The secret, key, table, queue or (of the first event) bus that the input names. */
  readonly resource?: string;
  readonly body?: unknown;
  readonly head?: string;
};

/** One line of the log. `at` in seconds since the epoch; `status` is 0 as long as there is no response. */
export type LoggedCall = Omit<ServiceCall, 'body' | 'head'> & { readonly at: number; readonly status: number };

/**
 * Called when a request has arrived (`received`), and when the service has acted but not yet responded (`done`). The service waits for
 * the hook. Faults are looked up after `received`, so that a hook can add one for the same call.
 */
export type CallHook = (phase: 'received' | 'done', call: ServiceCall) => Promise<void> | void;

/** Older calls are dropped, so that the memory of long runs is bounded. */
const LOG_LIMIT = 5_000;

export type CallLog = ReturnType<typeof callLog>;

/** Keeps the newest calls. `now` is in seconds since the epoch. */
export function callLog(now: () => number, limit = LOG_LIMIT) {
  const calls: LoggedCall[] = [];

  /** Returns a function that records the status of the response. */
  function received({ service, action, resource }: ServiceCall): (status: number) => void {
    const call = { at: now(), service, action, ...(resource === undefined ? {} : { resource }), status: 0 };
    calls.push(call);
    if (calls.length > limit) calls.shift();
    return (status) => {
      call.status = status;
    };
  }

  return { calls: calls as readonly LoggedCall[], received };
}

/** Hooks, in the order in which they were added. */
export function hookList() {
  const hooks = new Set<CallHook>();

  /** Returns a function that removes the hook. */
  function add(hook: CallHook): () => void {
    hooks.add(hook);
    return () => {
      hooks.delete(hook);
    };
  }

  async function run(phase: 'received' | 'done', call: ServiceCall): Promise<void> {
    for (const hook of hooks) await hook(phase, call);
  }

  return { add, run };
}
