/** One execution environment of Lambda: a process that runs AWS's own runtime client, and its Runtime API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { type Answer, type LambdaError, startRuntimeApi } from './runtime-api.ts';

const RUNTIME_CLIENT = resolve(import.meta.dirname, '../../node_modules/aws-lambda-ric/index.mjs');
const PRELOAD = resolve(import.meta.dirname, 'rapid-client-preload.cjs');
/** Lambda gives a process so long to start. */
const INIT_LIMIT_MS = 10_000;

export type Outcome =
  | { readonly result: unknown }
  /** What Lambda's caller gets; `timedOut` if Lambda, not the function, ended the invocation. */
  | { readonly error: LambdaError; readonly timedOut?: true }
  /** Somebody else killed the process while it ran the invocation. */
  | { readonly killed: NodeJS.Signals };

export type Environment = {
  readonly pid: number;
  /** CPU time of the process until it last called the Runtime API, in ms; threads that ended are in it. */
  readonly cpuMs: () => number;
  readonly hasEnded: () => boolean;
  invoke(request: { event: unknown; awsRequestId: string; functionArn: string; timeoutMs: number }): Promise<Outcome>;
  /** Sends a signal; settles when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
};

type Start = {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
};

export const startEnvironment = async ({ directory, env, onOutput }: Start): Promise<Environment> => {
  const api = await startRuntimeApi();
  const child = spawn(process.execPath, ['--require', PRELOAD, RUNTIME_CLIENT], {
    cwd: directory,
    env: { ...env, AWS_LAMBDA_RUNTIME_API: api.address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', onOutput);
  const ended = once(child, 'close').then(() => api.close());
  await once(child, 'spawn');

  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };

  return {
    pid: child.pid ?? 0,
    cpuMs: () => api.cpuMs,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    kill,
    invoke: async ({ awsRequestId, timeoutMs, ...request }) => {
      let timedOutAfterMs: number | undefined;
      const killAfter = (ms: number): NodeJS.Timeout =>
        setTimeout(() => {
          timedOutAfterMs = ms;
          child.kill('SIGKILL');
        }, ms);
      let timer = killAfter(INIT_LIMIT_MS);
      const onTaken = (): void => {
        clearTimeout(timer);
        timer = killAfter(timeoutMs);
      };
      let answer: Answer | undefined;
      const answered = api.invoke({ ...request, awsRequestId, timeoutMs, onTaken }).then((given) => {
        answer = given;
      });
      const failed = api.initError.then(async (error) => {
        answer ??= { error };
        // The process ends by itself after this report; the next invocation must not meet it.
        await ended;
      });
      await Promise.race([answered, failed, ended]);
      clearTimeout(timer);
      return answer ?? outcomeOfEnd(child, awsRequestId, timedOutAfterMs);
    },
  };
};

/** A process that ended without an answer, in Lambda's words. */
const outcomeOfEnd = (child: ChildProcess, awsRequestId: string, timedOutAfterMs: number | undefined): Outcome => {
  const errorOf = (errorType: string, what: string): LambdaError => ({
    errorType,
    errorMessage: `RequestId: ${awsRequestId} Error: ${what}`,
  });
  if (timedOutAfterMs !== undefined) {
    const seconds = (timedOutAfterMs / 1000).toFixed(2);
    return { error: errorOf('Sandbox.Timedout', `Task timed out after ${seconds} seconds`), timedOut: true };
  }
  if (child.signalCode !== null) return { killed: child.signalCode };
  const how = child.exitCode === 0 ? 'without providing a reason' : `with error: exit status ${child.exitCode}`;
  return { error: errorOf('Runtime.ExitError', `Runtime exited ${how}`) };
};
