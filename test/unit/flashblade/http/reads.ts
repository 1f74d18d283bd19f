/** How the product and Node read the same bytes as a response. */
import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { ResponseHead } from '../../../../lib/flashblade/http/body.ts';
import { EndedEarly, UnreadableResponse } from '../../../../lib/flashblade/http/input.ts';
import { readResponse } from '../../../../lib/flashblade/http/response.ts';

export type Read =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly refused: string };

export type OurRead = { readonly read: Read; readonly head: ResponseHead | undefined; readonly keeps: boolean };

export const ENDED_EARLY = 'ended early';

/** The product's reading of everything that a connection sends, in pieces of these lengths; the last length is repeated. */
export function weRead(text: string, lengths: readonly number[] = [text.length]): OurRead {
  let head: ResponseHead | undefined;
  const reader = readResponse((next) => {
    head = next;
  });
  reader.next();
  let rest = Buffer.from(text, 'latin1');
  const refuse = (refused: string): OurRead => ({ read: { refused }, head, keeps: false });
  try {
    for (let turn = 0; ; turn++) {
      const piece = rest.subarray(0, lengths[Math.min(turn, lengths.length - 1)]);
      rest = rest.subarray(piece.length);
      const { done, value } = reader.next(piece.length === 0 ? undefined : piece);
      if (!done) continue;
      // An idle connection is closed when anything arrives.
      if (rest.length > 0) return refuse('it is followed by extra bytes');
      const { status, headers } = value.head;
      return { read: { status, headers, body: value.body.toString('latin1') }, head, keeps: value.keepsConnection };
    }
  } catch (error) {
    if (error instanceof EndedEarly) return refuse(ENDED_EARLY);
    if (error instanceof UnreadableResponse) return refuse(error.message);
    throw error;
  }
}

/** Node's reading of the same bytes as the response to a GET, with its strict rules. */
export async function nodeReads(text: string): Promise<Read> {
  const wire = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const outgoing = request({ createConnection: () => wire, host: 'array.invalid', insecureHTTPParser: false });
  let refused: string | undefined;
  let response: IncomingMessage | undefined;
  const body: Buffer[] = [];
  const refuse = (error: Error & { code?: string }) => {
    refused = error.code ?? error.message;
  };
  outgoing.on('error', refuse);
  outgoing.on('upgrade', () => {
    refused = 'upgrade';
    wire.destroy();
  });
  outgoing.on('response', (incoming) => {
    response = incoming;
    incoming.on('error', refuse);
    incoming.on('data', (chunk) => body.push(chunk));
  });
  outgoing.end();
  const closed = new Promise((resolve) => outgoing.on('close', resolve));
  wire.push(Buffer.from(text, 'latin1'));
  wire.push(null);
  await closed;
  if (refused !== undefined || !response?.complete) return { refused: refused ?? ENDED_EARLY };
  const headers = Object.entries(response.headersDistinct);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers.map(([name, values = []]) => [name, values.join(', ')])),
    body: Buffer.concat(body).toString('latin1'),
  };
}
