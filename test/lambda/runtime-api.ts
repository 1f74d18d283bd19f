/** Lambda's Runtime API on loopback, for one process: hands out invocations, takes answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const BASE = '/2018-06-01/runtime';

export type LambdaError = { readonly errorType: string; readonly errorMessage: string; readonly trace?: string[] };
export type Answer = { readonly result: unknown } | { readonly error: LambdaError };

export type Invocation = {
  readonly awsRequestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  /** Counts from the moment at which the process takes the invocation. */
  readonly timeoutMs: number;
  readonly onTaken: () => void;
};

export type RuntimeApi = {
  /** `host:port`, for AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Settles when the process answers, and never if it does not. One at a time. */
  invoke(invocation: Invocation): Promise<Answer>;
  /** Settles when the process reports that it could not start. */
  readonly initError: Promise<LambdaError>;
  /** What the process said of itself when it last called: CPU time since its start, in ms. */
  readonly cpuMs: number;
  /** Waits until the process's connections ended: what it sent before it died has been heard. */
  close(): Promise<void>;
};

export const startRuntimeApi = async (): Promise<RuntimeApi> => {
  const init = Promise.withResolvers<LambdaError>();
  let cpuMs = Number.NaN;
  let asking: ServerResponse | undefined;
  let waiting: Invocation | undefined;
  let running: { readonly awsRequestId: string; readonly answer: (answer: Answer) => void } | undefined;

  const hand = (): void => {
    if (asking === undefined || waiting === undefined) return;
    const { awsRequestId, functionArn, event, timeoutMs, onTaken } = waiting;
    asking.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': awsRequestId,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + timeoutMs),
      'Lambda-Runtime-Invoked-Function-Arn': functionArn,
    });
    asking.end(JSON.stringify(event ?? {}));
    asking = waiting = undefined;
    onTaken();
  };

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: unknown = JSON.parse((await text(request)) || 'null');
    const path = request.url?.slice(BASE.length);
    if (path === '/init/error') init.resolve(body as LambdaError);
    else if (path === `/invocation/${running?.awsRequestId}/response`) running?.answer({ result: body });
    else if (path === `/invocation/${running?.awsRequestId}/error`) running?.answer({ error: body as LambdaError });
    else
      return void response.writeHead(400).end('{"errorType":"InvalidRequestID","errorMessage":"No such invocation"}');
    response.writeHead(202).end('{"status":"OK"}');
  };

  const server = createServer((request, response) => {
    cpuMs = Number(request.headers['process-cpu-us']) / 1000;
    if (request.url === `${BASE}/invocation/next`) {
      asking = response;
      hand();
    } else {
      // Only a process that died while it sent breaks off here, and its end is reported by whoever started it.
      take(request, response).catch(() => response.destroy());
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    initError: init.promise,
    get cpuMs() {
      return cpuMs;
    },
    invoke: (invocation) => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      running = { awsRequestId: invocation.awsRequestId, answer: resolve };
      waiting = invocation;
      hand();
      return promise;
    },
    close: () => new Promise((closed) => void server.close(() => closed())),
  };
};
