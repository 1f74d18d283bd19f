/** A relay between the functions and AWS: records every request, and forwards it or responds instead of a service. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Service } from '../../kit/aws/index.ts';

/** The prefix of the action in `X-Amz-Target`, and the variable with the address of the service. */
const SERVICES: Readonly<Record<string, readonly [Service, string]>> = {
  secretsmanager: ['secretsmanager', 'AWS_ENDPOINT_URL_SECRETS_MANAGER'],
  TrentService: ['kms', 'AWS_ENDPOINT_URL_KMS'],
  DynamoDB_20120810: ['dynamodb', 'AWS_ENDPOINT_URL_DYNAMODB'],
  AWSEvents: ['events', 'AWS_ENDPOINT_URL_EVENTBRIDGE'],
  AmazonSQS: ['sqs', 'AWS_ENDPOINT_URL_SQS'],
};

/** A response as it is sent. */
export type AwsAnswer = {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Relay = Awaited<ReturnType<typeof startRelay>>;

/** Call `to` before the first request to set the services. Lives until `stop`. */
export async function startRelay() {
  let services: Readonly<Record<string, string>> = {};
  let sent = '';
  let instead: { readonly service: Service; readonly answer: AwsAnswer; happened: number } | undefined;

  async function answerTo(request: IncomingMessage): Promise<AwsAnswer> {
    const body = await buffer(request);
    sent += `${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n${body.toString('latin1')}\n`;
    const [service, variable] = SERVICES[String(request.headers['x-amz-target']).split('.')[0] ?? ''] ?? [];
    if (instead !== undefined && service === instead.service) {
      instead.happened += 1;
      return instead.answer;
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const url = new URL(request.url ?? '/', services[variable ?? '']);
    const answer = await fetch(url, { method: 'POST', headers: headers as Record<string, string>, body });
    return {
      status: answer.status,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: await answer.text(),
    };
  }

  const server = createServer((request, response) => {
    answerTo(request)
      .then(({ status, reason, headers, body }) => {
        if (reason === undefined) response.writeHead(status, headers).end(body);
        else response.writeHead(status, reason, headers).end(body);
      })
      .catch(() => response.destroy()); // the service is broken, or we are stopping
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    /** `next`: the variables with the addresses of the services. */
    to: (next: Readonly<Record<string, string>>): void => {
      services = next;
    },
    /** Variables that send a function's calls here. */
    env: Object.fromEntries(Object.values(SERVICES).map(([, variable]) => [variable, url])),
    /** Requests as received: line, headers, body. */
    sent: (): string => sent,
    /** During `work`, sends this response to every call of the service. */
    answering: async (service: Service, answer: AwsAnswer, work: () => Promise<unknown>): Promise<void> => {
      const planned = { service, answer, happened: 0 };
      instead = planned;
      try {
        await work();
        if (planned.happened === 0) throw new Error(`${service} was not asked`);
      } finally {
        instead = undefined;
      }
    },
    stop: async (): Promise<void> => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
