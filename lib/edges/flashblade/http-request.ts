/** Writes one request of HTTP/1.1. */
import type { FlashBlade } from '../../ground/model.ts';
import { addressOf } from '../../ground/trust.ts';
import { VERSION } from '../../ground/version.ts';
import { TOKEN } from './http-grammar.ts';

export type WireRequest = {
  readonly method: string;
  /** Path with query, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly requestId: string;
};

const USER_AGENT = `flashblade-sessions/${VERSION} (node/${process.versions.node.split('.')[0]})`;
const METHOD = /^(?:GET|POST|PUT|PATCH|DELETE)$/;
const TARGET = /^\/[!-~]*$/;
const NAME = new RegExp(`^${TOKEN}$`);
const VALUE = /^[\t -~]*$/;

/** A request as text, to be sent as UTF-8; undefined if something in it cannot stand in HTTP as it is. */
export function writeRequest(array: FlashBlade, request: WireRequest): string | undefined {
  const { method, path, headers = {}, body = '', requestId } = request;
  const host = hostOf(array);
  if (!METHOD.test(method) || !TARGET.test(path) || !VALUE.test(host) || !VALUE.test(requestId)) return undefined;
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  if (method !== 'GET' || body !== '') head += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${head}User-Agent: ${USER_AGENT}\r\nX-Request-ID: ${requestId}\r\n\r\n${body}`;
}

/** As in a URL: without the port that everybody would take anyhow. */
const hostOf = (array: FlashBlade): string => {
  const address = addressOf(array);
  return array.port === 443 ? address.slice(0, -':443'.length) : address;
};
