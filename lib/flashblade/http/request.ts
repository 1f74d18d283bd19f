/** Writes one HTTP/1.1 request. */
import type { FlashBlade } from '../../core/model.ts';
import { addressOf } from '../trust.ts';
import { TOKEN } from './input.ts';

/**
 * The version of this library.
 *
 * @example
 * console.log(`flashblade-sessions ${VERSION}`);
 */
export const VERSION = '0.1.0';

/** The methods that an array accepts. */
export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export type WireRequest = {
  readonly method: string;
  /** The encoded path, including the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly requestId: string;
};

const USER_AGENT = `flashblade-sessions/${VERSION} (node/${process.versions.node.split('.')[0]})`;
const METHOD = new RegExp(`^(?:${METHODS.join('|')})$`);
const TARGET = /^\/[!-~]*$/;
const NAME = new RegExp(`^${TOKEN}$`);
const VALUE = /^[\t -~]*$/;

/** Returns the request as text to send as UTF-8, or undefined if any part contains characters that HTTP does not allow there. */
export function writeRequest(array: FlashBlade, request: WireRequest): string | undefined {
  const { method, path, headers = {}, body = '', requestId } = request;
  const host = hostOf(array);
  if (!METHOD.test(method) || !TARGET.test(path) || !VALUE.test(host) || !VALUE.test(requestId)) return undefined;
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\nAccept-Encoding: identity\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  if (method !== 'GET' || body !== '') head += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${head}User-Agent: ${USER_AGENT}\r\nX-Request-ID: ${requestId}\r\n\r\n${body}`;
}

/** Returns true if a header can contain the value unchanged: 1 to 1024 visible ASCII characters. */
export const isHeaderValue = (value: string): boolean => /^[!-~]{1,1024}$/.test(value);

/** Formats the host as in a URL, without the default port. */
const hostOf = (array: FlashBlade): string => {
  const address = addressOf(array);
  return array.port === 443 ? address.slice(0, -':443'.length) : address;
};
