/** Calls to stand-ins, the call log, and the hooks that observe calls. */

/** The prefix of the service's IAM actions. */
export type Service = 'secretsmanager' | 'kms' | 'dynamodb' | 'events' | 'sqs';

/** One request. `body` is the parsed input and `head` is the rest. Both can contain secret values, so the log omits them. */
export type ServiceCall = {
  readonly service: Service;
  readonly action: string;
  /** The secret, key, table, queue or bus that the input names. For a batch of events, the first event's bus. */
  readonly resource?: string;
  readonly body?: unknown;
  readonly head?: string;
};

/** One log line. `at` is in seconds since the epoch. `status` is 0 until there is a response. */
export type LoggedCall = Omit<ServiceCall, 'body' | 'head'> & { readonly at: number; readonly status: number };

/**
 * Called when a request arrives (`received`), and after the service acts but before it responds (`done`). The service waits for the
 * hook. Faults are looked up after `received`, so a hook can add a fault for the same call.
 */
export type CallHook = (phase: 'received' | 'done', call: ServiceCall) => Promise<void> | void;

/** Older calls are dropped to limit memory use in long runs. */
const LOG_LIMIT = 5_000;

export type CallLog = ReturnType<typeof callLog>;

/** Keeps the newest calls. `now` is in seconds since the epoch. */
export function callLog(now: () => number, limit = LOG_LIMIT) {
  const calls: LoggedCall[] = [];

  /** Returns a function that records the response status. */
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

/** Hooks, in the order they were added. */
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
