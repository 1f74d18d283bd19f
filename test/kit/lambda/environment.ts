/** One Lambda execution environment: a process that runs AWS's runtime client, and the Runtime API on loopback that serves it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { clockAhead } from '../clock.ts';

const RUNTIME_CLIENT = resolve(import.meta.dirname, '../../../node_modules/aws-lambda-ric/index.mjs');
const PRELOAD = resolve(import.meta.dirname, 'rapid-client-preload.cjs');
const BASE = '/2018-06-01/runtime';
/** How long Lambda waits for a process to start. */
const INIT_LIMIT_MS = 10_000;

export type LambdaError = { readonly errorType: string; readonly errorMessage: string; readonly trace?: string[] };

export type Outcome =
  | { readonly result: unknown }
  /** The error that Lambda returns to the caller. `timedOut`: Lambda, not the function, ended the invocation. */
  | { readonly error: LambdaError; readonly timedOut?: true }
  /** A test killed the process during the invocation. */
  | { readonly killed: NodeJS.Signals };

type Invocation = {
  readonly awsRequestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  /** Starts when the process takes the invocation. */
  readonly timeoutMs: number;
};
type Running = Invocation & { readonly onTaken: () => void; readonly respond: (outcome: Outcome) => void };

export type Environment = Awaited<ReturnType<typeof startEnvironment>>;

type Start = {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
  /** How far the process's clock is ahead of the machine's. */
  readonly aheadMs: number;
};

export async function startEnvironment({ directory, env, onOutput, aheadMs }: Start) {
  let cpuMs = Number.NaN;
  let initError: LambdaError | undefined;
  /** The response to the process's request for an invocation. */
  let asking: ServerResponse | undefined;
  let waiting: Running | undefined;
  let running: Running | undefined;

  function hand(): void {
    if (asking === undefined || waiting === undefined) return;
    const { awsRequestId, functionArn, event, timeoutMs, onTaken } = waiting;
    asking.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': awsRequestId,
      // By the process's clock.
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + aheadMs + timeoutMs),
      'Lambda-Runtime-Invoked-Function-Arn': functionArn,
    });
    asking.end(JSON.stringify(event ?? {}));
    asking = waiting = undefined;
    onTaken();
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: unknown = JSON.parse((await text(request)) || 'null');
    const path = request.url?.slice(BASE.length);
    if (path === '/init/error') initError = body as LambdaError;
    else if (path === `/invocation/${running?.awsRequestId}/response`) running?.respond({ result: body });
    else if (path === `/invocation/${running?.awsRequestId}/error`) running?.respond({ error: body as LambdaError });
    else
      return void response.writeHead(400).end('{"errorType":"InvalidRequestID","errorMessage":"No such invocation"}');
    response.writeHead(202).end('{"status":"OK"}');
  }

  const server = createServer((request, response) => {
    cpuMs = Number(request.headers['process-cpu-us']) / 1000;
    if (request.url === `${BASE}/invocation/next`) {
      asking = response;
      hand();
    } else {
      // This fails only if the process died while sending. The end of the process is reported.
      take(request, response).catch(() => response.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const child = spawn(process.execPath, [...clockAhead(aheadMs), '--require', PRELOAD, RUNTIME_CLIENT], {
    cwd: directory,
    env: { ...env, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', onOutput);
  /** The server closes after the process's connections, so that everything it sent has arrived. */
  const ended = once(child, 'close').then(() => once(server.close(), 'close'));
  await once(child, 'spawn');

  return {
    pid: child.pid ?? 0,
    aheadMs,
    /** CPU time since the process started, as reported by its last call. */
    cpuMs: (): number => cpuMs,
    hasEnded: (): boolean => child.exitCode !== null || child.signalCode !== null,
    /** Sends a signal. Resolves when the process has ended. */
    kill: async (signal: NodeJS.Signals): Promise<void> => {
      child.kill(signal);
      await ended;
    },
    invoke: async (invocation: Invocation): Promise<Outcome> => {
      const { awsRequestId, timeoutMs } = invocation;
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
      const { promise: responded, resolve: respond } = Promise.withResolvers<Outcome>();
      waiting = running = { ...invocation, onTaken, respond };
      hand();
      // A process ends after it reports that it could not start.
      const died = ended.then(() =>
        initError ? { error: initError } : outcomeOfEnd(child, awsRequestId, timedOutAfterMs),
      );
      const outcome = await Promise.race([responded, died]);
      clearTimeout(timer);
      return outcome;
    },
  };
}

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
