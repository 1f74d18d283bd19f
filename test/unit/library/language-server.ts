/** What an editor shows when the pointer rests on a name, from the language server that comes with TypeScript. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../../scripts/build.ts';

export type Place = { readonly line: number; readonly character: number };
type Message = { readonly id?: number; readonly method?: string; readonly result?: unknown };

/** Returns the type that the server shows at each place in a file. */
export async function hovers(file: string, places: readonly Place[]): Promise<string[]> {
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const server = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map<number, (result: unknown) => void>();
  let received = Buffer.alloc(0);

  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const ask = (method: string, params: object): Promise<unknown> => {
    const { promise, resolve: answer } = Promise.withResolvers<unknown>();
    const id = waiting.size + 1;
    waiting.set(id, answer);
    send({ id, method, params });
    return promise;
  };
  server.stdout.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(received.subarray(0, head).toString())?.[1]);
      if (head < 0 || received.length < head + 4 + length) return;
      const message = JSON.parse(received.subarray(head + 4, head + 4 + length).toString()) as Message;
      received = received.subarray(head + 4 + length);
      // The server's own questions, such as for settings, all have the same reply.
      if (message.id !== undefined && message.method !== undefined) send({ id: message.id, result: null });
      else if (message.id !== undefined) waiting.get(message.id)?.(message.result);
    }
  });

  try {
    const uri = pathToFileURL(file).href;
    const capabilities = { textDocument: { hover: { contentFormat: ['markdown'] } } };
    await ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(dirname(file)).href,
      capabilities,
    });
    send({ method: 'initialized', params: {} });
    const text = readFileSync(file, 'utf8');
    send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
    });
    const shown: string[] = [];
    for (const position of places) {
      const hover = await ask('textDocument/hover', { textDocument: { uri }, position });
      const { contents } = (hover ?? {}) as { contents?: { value?: string } };
      shown.push(/```[a-z]*\n([\s\S]*?)```/.exec(contents?.value ?? '')?.[1]?.trim() ?? '');
    }
    return shown;
  } finally {
    server.kill();
    await once(server, 'close');
  }
}
