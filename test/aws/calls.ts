/** What arrives at the stand-ins: the call, the log that remembers it, the hooks that watch it. */

/** The prefix of the service's IAM actions. */
export type Service = 'secretsmanager' | 'kms' | 'dynamodb' | 'events' | 'sqs';

/** One request. `body` is the parsed input and may hold secret values: it reaches hooks, never the log. */
export type ServiceCall = {
  readonly service: Service;
  readonly action: string;
  /** The secret, key, table, queue or (of the first event) bus that the input names. */
  readonly resource?: string;
  readonly body?: unknown;
};

/** One line of the log. `at` in seconds since the epoch; `status` 0 while, or because, nothing was answered. */
export type LoggedCall = Omit<ServiceCall, 'body'> & { readonly at: number; readonly status: number };

/**
 * Called when a request arrived and nothing was done (`received`), and when it was done and nothing answered (`done`).
 * The service waits for it. Faults are looked up after `received`: a hook may still add one for this very call.
 */
export type CallHook = (phase: 'received' | 'done', call: ServiceCall) => Promise<void> | void;

/** Older calls are forgotten, so that long runs do not grow without bound. */
const LOG_LIMIT = 5_000;

export type CallLog = ReturnType<typeof callLog>;

/** Remembers the newest calls; `now` in seconds since the epoch. */
export function callLog(now: () => number, limit = LOG_LIMIT) {
  const calls: LoggedCall[] = [];

  /** Returns how to note the status that was answered. */
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

  /** Returns how to remove the hook. */
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
