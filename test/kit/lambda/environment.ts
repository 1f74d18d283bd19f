/** One Lambda execution environment: a process that runs AWS's runtime client, and its Runtime API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { clockAhead } from '../clock.ts';
import { type Invocation, type InvocationResponse, type LambdaError, startRuntimeApi } from './runtime-api.ts';

const RUNTIME_CLIENT = resolve(import.meta.dirname, '../../../node_modules/aws-lambda-ric/index.mjs');
const PRELOAD = resolve(import.meta.dirname, 'rapid-client-preload.cjs');
/** How long Lambda waits for a process to start. */
const INIT_LIMIT_MS = 10_000;

export type Outcome =
  | { readonly result: unknown }
  /** The error that Lambda returns to the caller. `timedOut`: Lambda, not the function, ended the invocation. */
  | { readonly error: LambdaError; readonly timedOut?: true }
  /** A test killed the process during the invocation. */
  | { readonly killed: NodeJS.Signals };

export type Environment = Awaited<ReturnType<typeof startEnvironment>>;

type Start = {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
  /** How far the process's clock is ahead of the machine's. */
  readonly aheadMs: number;
};

export const startEnvironment = async ({ directory, env, onOutput, aheadMs }: Start) => {
  const api = await startRuntimeApi(aheadMs);
  const child = spawn(process.execPath, [...clockAhead(aheadMs), '--require', PRELOAD, RUNTIME_CLIENT], {
    cwd: directory,
    env: { ...env, AWS_LAMBDA_RUNTIME_API: api.address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', onOutput);
  const ended = once(child, 'close').then(() => api.close());
  await once(child, 'spawn');

  /** Sends a signal. Resolves when the process has ended. */
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };

  return {
    pid: child.pid ?? 0,
    aheadMs,
    cpuMs: (): number => api.cpuMs,
    hasEnded: (): boolean => child.exitCode !== null || child.signalCode !== null,
    kill,
    invoke: async ({ awsRequestId, timeoutMs, ...request }: Omit<Invocation, 'onTaken'>): Promise<Outcome> => {
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
      let response: InvocationResponse | undefined;
      const responded = api.invoke({ ...request, awsRequestId, timeoutMs, onTaken }).then((received) => {
        response = received;
      });
      const failed = api.initError.then(async (error) => {
        response ??= { error };
        // The process ends after this report, so the next invocation must not use it.
        await ended;
      });
      await Promise.race([responded, failed, ended]);
      clearTimeout(timer);
      return response ?? outcomeOfEnd(child, awsRequestId, timedOutAfterMs);
    },
  };
};

/** What Lambda reports for a process that ended without a response. */
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
