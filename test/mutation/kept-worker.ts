/**
 * A vitest pool that keeps its worker from one mutant to the next: starting a thread and loading everything anew would be most of the
 * time. It begins anew where a mutant acts while modules load, and now and then, so that what a mutant leaves behind does not add up.
 */
import { EventEmitter } from 'node:events';
import { type PoolOptions, type PoolWorker, ThreadsPoolWorker, type WorkerRequest } from 'vitest/node';

/** Each mutant leaves a few listeners behind. */
const MUTANTS_PER_WORKER = 25;

declare module 'vitest' {
  interface ProvidedContext {
    mutantActivation?: 'static' | 'runtime';
  }
}

type Kept = { readonly thread: ThreadsPoolWorker; uses: number };
let kept: Kept | undefined;

export const keptWorker = { name: 'kept-worker', createPoolWorker };

/** What vitest takes for a worker of its own for each run. */
function createPoolWorker(options: PoolOptions): PoolWorker {
  const events = new EventEmitter();
  const isRuntime = options.project.getProvidedContext().mutantActivation === 'runtime';
  let current: Kept | undefined;
  let running: PromiseWithResolvers<void> | undefined;

  const onMessage = (message: { type?: string }): void => {
    if (message?.type === 'testfileFinished') running?.resolve();
    events.emit('message', message);
  };
  const onError = (error: unknown) => events.emit('error', error);
  const onExit = (code: unknown): void => {
    forget();
    events.emit('exit', code);
  };
  const mayKeep = (): boolean => isRuntime && current !== undefined && current.uses < MUTANTS_PER_WORKER;
  const forget = (): void => {
    if (kept === current) kept = undefined;
  };

  async function start(): Promise<void> {
    const old = isRuntime ? kept : undefined;
    current = old ?? { thread: new ThreadsPoolWorker(options), uses: 0 };
    if (old === undefined) await current.thread.start();
    kept = isRuntime ? current : kept;
    current.uses += 1;
    current.thread.on('message', onMessage);
    current.thread.on('error', onError);
    current.thread.on('exit', onExit);
  }

  function send(message: WorkerRequest): void {
    if (message.type === 'run') running = Promise.withResolvers();
    if (message.type !== 'stop') current?.thread.send(message);
    else if (mayKeep()) {
      void running?.promise.then(() => events.emit('message', { __vitest_worker_response__: true, type: 'stopped' }));
    } else {
      // At once: the next run may begin before this worker has ended.
      forget();
      current?.thread.send(message);
    }
  }

  async function stop(): Promise<void> {
    current?.thread.off('message', onMessage);
    current?.thread.off('error', onError);
    current?.thread.off('exit', onExit);
    if (kept !== current) await current?.thread.stop();
  }

  return {
    name: keptWorker.name,
    on: (event, callback) => void events.on(event, callback),
    off: (event, callback) => void events.off(event, callback),
    send,
    deserialize: (data) => data,
    start,
    stop,
  };
}
