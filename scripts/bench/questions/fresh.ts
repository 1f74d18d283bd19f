/** What a login and its logout cost with a connection of their own. */
import { openArena } from '../arena.ts';
import { blockTable, compareBlocks, type Pair, serverNote } from '../blocks.ts';
import type { Answer, Question, Settings } from '../question.ts';

const PAIRS: readonly Pair[] = [
  ['raw node:tls', 'raw node:tls'],
  ['this library', 'raw node:tls'],
  ['node:https', 'raw node:tls'],
  ['raw node:tls, never resumed', 'raw node:tls, never resumed'],
  ['this library, fingerprint', 'raw node:tls, never resumed'],
];
const GOAL = 1.4;

export const fresh: Question = {
  name: 'fresh',
  title: 'A new connection for each login and logout',
  ask: async ({ quick, seed }: Settings): Promise<Answer> => {
    const arena = await openArena(PAIRS.map(([client]) => client));
    try {
      const ports = await arena.server.call('listen', { count: 1, health: 'healthy' });
      const work = { ports, passes: quick ? 3 : 40, concurrency: 1, keep: false };
      const rounds = quick ? { rounds: 2, warmUp: 1, seed } : { rounds: 30, warmUp: 5, seed };
      const blocks = await compareBlocks(arena, PAIRS, work, rounds);
      const ours = blocks.filter(({ name }) => name.startsWith('this library'));
      return {
        tables: [blockTable(blocks)],
        ratios: blocks.map(({ name, cpu }) => ({
          label: name,
          measured: cpu.ratio,
          ...(name.startsWith('this library') ? { goal: GOAL } : {}),
        })),
        goals: ours.map(({ name, cpu }) => ({ what: `CPU of ${name}`, atMost: GOAL, measured: cpu.ratio, unit: '×' })),
        notes: [
          'Under a certificate authority a new connection resumes the TLS session of the one before; under a fingerprint none is resumed, because a resumed one shows no certificate.',
          serverNote(blocks),
        ],
      };
    } finally {
      await arena.stop();
    }
  },
};
