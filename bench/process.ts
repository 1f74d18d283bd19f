/** Calls functions in another process. Each contender runs in its own process, so that its CPU time can be measured separately. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

export type Process<Remote extends Handlers> = {
  /** Supports one call at a time. Rejects if the other process throws an error or ends. */
  readonly call: <Name extends string & keyof Remote>(
    name: Name,
    argument: Parameters<Remote[Name]>[0],
  ) => Promise<Awaited<ReturnType<Remote[Name]>>>;
  readonly stop: () => Promise<void>;
};

type Reply = { readonly result?: unknown; readonly error?: string };

/** Starts `file`, which must call `expose`. `flags` are passed to Node.js. */
export function start<Remote extends Handlers>(file: URL, flags: readonly string[] = []): Process<Remote> {
  const child = fork(file, { execArgv: ['--expose-gc', ...flags] });
  const ended = once(child, 'exit');
  return {
    call: async (name, argument) => {
      child.send({ name, argument });
      const [reply]: [Reply | number | null] = await Promise.race([once(child, 'message'), ended] as never);
      if (typeof reply !== 'object' || reply === null) throw new Error(`${file.pathname} ended`);
      if (reply.error !== undefined) throw new Error(`${name}: ${reply.error}`);
      return reply.result as never;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** Handles calls from the parent process, and exits when the parent disconnects. */
export function expose(handlers: Handlers): void {
  process.on('message', async ({ name, argument }: { name: string; argument: never }) => {
    let reply: Reply;
    try {
      reply = { result: await handlers[name]?.(argument) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    process.send?.(reply);
  });
  process.on('disconnect', () => process.exit());
}

/** Measures the elapsed time and CPU time that `work` takes in this process. */
export async function using(work: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}
