/** Sends a response to the client, either intact or broken by a delivery fault. */
import { STATUS_CODES } from 'node:http';
import { Http2ServerResponse } from 'node:http2';
import type { Connection } from './connections.ts';
import type { AnswerFault, DeliveryFault, RequestFault } from './faults.ts';
import type { Response } from './http.ts';
import { ARRAY_HEADERS, type Reply } from './reply.ts';

export type Line = { readonly connection: Connection; readonly response: Response };

/**
 * Sends a response and applies the fault. On HTTP/2, `informational` works as it does on HTTP/1.1, `hang` never responds, and
 * every other delivery fault resets the connection.
 */
export function deliver(line: Line, reply: Reply, fault: RequestFault | undefined): void {
  if (fault === undefined || fault.kind === 'answer') send(line.response, reply);
  else if (fault.kind === 'informational') sendAfterOthers(line, reply, fault.statuses);
  else if (line.connection.protocol === 'HTTP/1.1') breakDelivery(line.connection, reply, fault);
  else if (fault.kind !== 'hang') line.connection.reset();
}

/** Applies an `answer` fault to the array's own response. */
export function changeReply(reply: Reply, { status, headers = {}, withoutHeaders = [], body }: AnswerFault): Reply {
  const kept = Object.entries({ ...reply.headers, ...headers }).filter(([name]) => !withoutHeaders.includes(name));
  return { status: status ?? reply.status, headers: Object.fromEntries(kept), body: body ?? reply.body };
}

function send(response: Response, reply: Reply): void {
  response.statusCode = reply.status;
  for (const [name, value] of headersOf(reply))
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  response.end(reply.body);
}

function sendAfterOthers({ connection, response }: Line, reply: Reply, statuses: readonly number[]): void {
  for (const status of statuses) {
    if (response instanceof Http2ServerResponse) response.stream.additionalHeaders({ ':status': status });
    else connection.socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n\r\n`);
  }
  send(response, reply);
}

function breakDelivery(connection: Connection, reply: Reply, fault: Exclude<DeliveryFault, { kind: 'informational' }>) {
  const { socket } = connection;
  switch (fault.kind) {
    case 'hang':
      return void socket.write(beginning(reply, fault.at));
    case 'reset':
      return connection.reset();
    case 'cut':
      return void socket.end(toBytes(reply).subarray(0, fault.afterBytes));
    case 'trickle':
      return trickle(connection, toBytes(reply), fault.intervalMs);
    case 'garbage':
      return void socket.end('220 fb1 ESMTP ready\r\n');
    case 'upgrade':
      return void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  }
}

/** Returns the part of a response that is sent before a hang. Replaces an empty body with `{}`, so that sending can stop mid-body. */
function beginning(reply: Reply, at: 'before-headers' | 'in-headers' | 'in-body'): Buffer {
  if (at === 'before-headers') return Buffer.alloc(0);
  const bytes = toBytes(reply.body === '' ? { ...reply, body: '{}' } : reply);
  const headBytes = bytes.indexOf('\r\n\r\n') + 4;
  return bytes.subarray(0, at === 'in-headers' ? headBytes / 2 : (headBytes + bytes.length) / 2);
}

function trickle({ socket }: Connection, bytes: Buffer, intervalMs: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent === bytes.length) socket.end();
  }, intervalMs);
  socket.once('close', () => clearInterval(timer));
  socket.once('finish', () => clearInterval(timer));
}

function headersOf({ headers, status, body }: Reply): [string, string | readonly string[]][] {
  const length = status === 204 || status === 304 ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
  return Object.entries({ ...ARRAY_HEADERS, ...headers, ...length });
}

function toBytes(reply: Reply): Buffer {
  const lines = headersOf(reply).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
  return Buffer.from(
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}\r\n${lines.join('')}connection: close\r\n\r\n${reply.body}`,
  );
}
