/** The processes: arrays, stand-ins for AWS, one that works by the story, one that works by hand. */
import { createAuthority } from '../../../simulator/certificates.ts';
import { API_TOKEN } from '../check.ts';
import { type Process, start } from '../process.ts';
import type { ServerCalls } from '../server-process.ts';
import type { AwsCalls } from './aws.ts';
import { HOST, type LedgerPlace } from './place.ts';
import type { How, LedgerCalls } from './worker.ts';

export type LedgerArena = {
  readonly aws: Process<AwsCalls>;
  readonly workers: Readonly<Record<How, Process<LedgerCalls>>>;
  /** A new lease table; its name. */
  readonly newTable: () => Promise<string>;
  /** A worker that has done nothing yet, for numbers of its memory. Stop it. */
  readonly newWorker: () => Promise<Process<LedgerCalls>>;
  readonly stop: () => Promise<void>;
};

const fileOf = (name: string): URL => new URL(name, import.meta.url);

export async function openLedgerArena(arrays: number): Promise<LedgerArena> {
  const authority = await createAuthority();
  const { certificate: cert, key } = await authority.issue();
  const server = start<ServerCalls>(fileOf('../server-process.ts'));
  const aws = start<AwsCalls>(fileOf('aws.ts'));
  const [story, byHand] = [start<LedgerCalls>(fileOf('worker.ts')), start<LedgerCalls>(fileOf('worker.ts'))];
  const stop = async (): Promise<void> => {
    await Promise.all([story, byHand, aws, server].map((process) => process.stop()));
  };
  try {
    await server.call('present', { cert, key });
    const ports = await server.call('listen', { count: arrays, health: 'healthy' });
    const place: LedgerPlace = { ...(await aws.call('open', undefined)), ports, ca: authority.certificate };
    await aws.call('putSecrets', secretsOf(place));
    for (const worker of [story, byHand]) await worker.call('prepare', place);
    let tables = 0;
    return {
      aws,
      workers: { story, 'by hand': byHand },
      newTable: async () => {
        const name = `leases-${++tables}`;
        await aws.call('createTable', name);
        return name;
      },
      newWorker: async () => {
        const worker = start<LedgerCalls>(fileOf('worker.ts'));
        await worker.call('prepare', place);
        return worker;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const secretsOf = ({ ports, ca }: LedgerPlace): Record<string, object> =>
  Object.fromEntries(
    ports.map((port, nth) => [
      `flashblade/fb${nth + 1}`,
      { host: `${HOST}:${port}`, apiToken: API_TOKEN, trust: { ca } },
    ]),
  );
