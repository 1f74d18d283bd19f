/** The Invoke API of Lambda on loopback, in front of packaged functions. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Outcome } from '../../kit/lambda/lambda.ts';

/** Invokes the function that has this full name. `undefined`: there is none. */
export type Invoke = (functionName: string, event: unknown) => Promise<Outcome> | undefined;

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Supports synchronous invocations. Signatures are not verified. */
export async function startLambdaEndpoint(invoke: Invoke) {
  const server = createServer(async (request, response) => {
    const [, name = ''] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '') ?? [];
    const outcome = request.method === 'POST' ? invoke(name, await json(request)) : undefined;
    if (outcome === undefined) {
      const headers = { 'x-amzn-errortype': 'ResourceNotFoundException' };
      return reply(response, 404, { Type: 'User', Message: `Function not found: ${name}` }, headers);
    }
    const ended = await outcome;
    if ('result' in ended) return reply(response, 200, ended.result);
    const error = 'error' in ended ? ended.error : { errorType: 'Runtime.ExitError', errorMessage: ended.killed };
    // Lambda reports a failed function with the status 200.
    reply(response, 200, error, { 'x-amz-function-error': 'Unhandled' });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
