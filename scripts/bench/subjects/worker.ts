/** Started as a process, one per client: idle until it is asked for a block of work. */
import { answer } from '../process.ts';
import type { Client, Place } from './client.ts';
import { CLIENTS, type ClientName } from './clients.ts';
import { type Work, type Worked, workWith } from './work.ts';

let client: Client | undefined;

const handlers = {
  open: async ({ name, place }: { name: ClientName; place: Place }): Promise<void> => {
    client = await CLIENTS[name](place);
  },
  work: async (work: Work): Promise<Worked> => {
    if (client === undefined) throw new Error('no client was opened');
    return workWith(client, work);
  },
  /** KiB in use after garbage collection: of the process, and of JavaScript's heap and buffers. */
  memory: (): { readonly rssKiB: number; readonly heapKiB: number } => {
    for (let times = 0; times < 3; times++) globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rssKiB: rss / 1024, heapKiB: (heapUsed + external) / 1024 };
  },
  close: (): void => client?.close(),
};
export type WorkerCalls = typeof handlers;

answer(handlers);
