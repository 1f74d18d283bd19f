/** How bytes are read as an answer: by the product, and by Node. */
import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import { type AnswerHead, readAnswer } from '../../lib/edges/flashblade/http-answer.ts';
import { EndedEarly, UnreadableAnswer } from '../../lib/edges/flashblade/http-input.ts';

export type Read =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly refused: string };

export type OurRead = { readonly read: Read; readonly head: AnswerHead | undefined; readonly keeps: boolean };

export const ENDED_EARLY = 'ended early';

/** The product's reading of all that a connection sends before its end, in pieces of these lengths, the last of which is repeated. */
export function weRead(text: string, lengths: readonly number[] = [text.length]): OurRead {
  let head: AnswerHead | undefined;
  const reader = readAnswer((next) => {
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
      // A connection that nobody uses ends when anything comes.
      if (rest.length > 0) return refuse('more bytes follow than belong to it');
      const { status, headers } = value.head;
      return { read: { status, headers, body: value.body.toString('latin1') }, head, keeps: value.keepsConnection };
    }
  } catch (error) {
    if (error instanceof EndedEarly) return refuse(ENDED_EARLY);
    if (error instanceof UnreadableAnswer) return refuse(error.message);
    throw error;
  }
}

/** Node's reading of the same bytes as an answer to a GET, with its strict rules. */
export async function nodeReads(text: string): Promise<Read> {
  const wire = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const outgoing = request({ createConnection: () => wire, host: 'array.invalid', insecureHTTPParser: false });
  let refused: string | undefined;
  let answer: IncomingMessage | undefined;
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
    answer = incoming;
    incoming.on('error', refuse);
    incoming.on('data', (chunk) => body.push(chunk));
  });
  outgoing.end();
  const closed = new Promise((resolve) => outgoing.on('close', resolve));
  wire.push(Buffer.from(text, 'latin1'));
  wire.push(null);
  await closed;
  if (refused !== undefined || !answer?.complete) return { refused: refused ?? ENDED_EARLY };
  return {
    status: answer.statusCode ?? 0,
    headers: joined(answer.rawHeaders),
    body: Buffer.concat(body).toString('latin1'),
  };
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at]?.toLowerCase(), raw[at + 1]];
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
