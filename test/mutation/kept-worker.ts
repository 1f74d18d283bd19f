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

function createPoolWorker(options: PoolOptions): PoolWorker {
  const events = new EventEmitter();
  const isRuntime = options.project.getProvidedContext().mutantActivation === 'runtime';
  let running = Promise.resolve();
  let isDone = (): void => {};
  let current: Kept | undefined;

  const onMessage = (message: { type?: string }): void => {
    if (message?.type === 'testfileFinished') isDone();
    events.emit('message', message);
  };
  const onError = (error: unknown) => events.emit('error', error);
  const onExit = (code: unknown): void => {
    if (kept === current) kept = undefined;
    events.emit('exit', code);
  };
  const mayKeep = (): boolean => isRuntime && (current?.uses ?? 0) < MUTANTS_PER_WORKER;

  async function start(): Promise<void> {
    if (!isRuntime) await drop();
    if (kept === undefined) {
      kept = { thread: new ThreadsPoolWorker(options), uses: 0 };
      await kept.thread.start();
    }
    current = kept;
    current.uses += 1;
    current.thread.on('message', onMessage);
    current.thread.on('error', onError);
    current.thread.on('exit', onExit);
  }

  function send(message: WorkerRequest): void {
    if (message.type === 'run') {
      running = new Promise((resolve) => {
        isDone = resolve;
      });
    }
    if (message.type !== 'stop' || !mayKeep()) current?.thread.send(message);
    else void running.then(() => events.emit('message', { __vitest_worker_response__: true, type: 'stopped' }));
  }

  async function stop(): Promise<void> {
    current?.thread.off('message', onMessage);
    current?.thread.off('error', onError);
    current?.thread.off('exit', onExit);
    if (!mayKeep()) await drop();
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

async function drop(): Promise<void> {
  const old = kept;
  kept = undefined;
  await old?.thread.stop();
}
