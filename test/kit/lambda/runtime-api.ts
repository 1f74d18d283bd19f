/** Lambda's Runtime API on loopback for one process. The API hands out invocations and receives responses. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const BASE = '/2018-06-01/runtime';

export type LambdaError = { readonly errorType: string; readonly errorMessage: string; readonly trace?: string[] };
export type InvocationResponse = { readonly result: unknown } | { readonly error: LambdaError };

export type Invocation = {
  readonly awsRequestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  /** Starts when the process takes the invocation. */
  readonly timeoutMs: number;
  readonly onTaken: () => void;
};

/** `aheadMs`: how far the process's clock is ahead of the machine's. Deadlines use the process's clock. */
export const startRuntimeApi = async (aheadMs: number) => {
  const init = Promise.withResolvers<LambdaError>();
  let cpuMs = Number.NaN;
  let asking: ServerResponse | undefined;
  let waiting: Invocation | undefined;
  let running: { readonly awsRequestId: string; readonly respond: (response: InvocationResponse) => void } | undefined;

  const hand = (): void => {
    if (asking === undefined || waiting === undefined) return;
    const { awsRequestId, functionArn, event, timeoutMs, onTaken } = waiting;
    asking.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': awsRequestId,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + aheadMs + timeoutMs),
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
    else if (path === `/invocation/${running?.awsRequestId}/response`) running?.respond({ result: body });
    else if (path === `/invocation/${running?.awsRequestId}/error`) running?.respond({ error: body as LambdaError });
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
      // This fails only if the process died while sending. `startEnvironment` reports that the process ended.
      take(request, response).catch(() => response.destroy());
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  return {
    /** `host:port`, for AWS_LAMBDA_RUNTIME_API. */
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when the process reports that it could not start. */
    initError: init.promise,
    /** CPU time since the process started, in ms, as reported by its last call. */
    get cpuMs(): number {
      return cpuMs;
    },
    /** Resolves when the process responds, or stays pending if it never does. Only one call can be pending. */
    invoke: (invocation: Invocation): Promise<InvocationResponse> => {
      const { promise, resolve } = Promise.withResolvers<InvocationResponse>();
      running = { awsRequestId: invocation.awsRequestId, respond: resolve };
      waiting = invocation;
      hand();
      return promise;
    },
    /** Waits until the process's connections have closed, so that everything it sent has arrived. */
    close: () => new Promise<void>((closed) => void server.close(() => closed())),
  };
};
