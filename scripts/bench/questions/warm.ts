/** What a login and its logout cost on a connection that is there already. */
import { openArena } from '../arena.ts';
import { blockTable, compareBlocks, type Pair, serverNote } from '../blocks.ts';
import type { Answer, Question, Settings } from '../question.ts';

const FLOOR = 'raw node:tls';
const PAIRS: readonly Pair[] = [
  [FLOOR, FLOOR],
  ['this library', FLOOR],
  ['undici dispatch', FLOOR],
  ['node:https', FLOOR],
  ['global fetch', FLOOR],
];
const GOAL = 1.6;

export const warm: Question = {
  name: 'warm',
  title: 'Login and logout on one kept-alive connection',
  ask: async ({ quick, seed }: Settings): Promise<Answer> => {
    const arena = await openArena(PAIRS.map(([client]) => client));
    try {
      const ports = await arena.server.call('listen', { count: 1, health: 'healthy' });
      const work = { ports, passes: quick ? 5 : 150, concurrency: 1, keep: true };
      const rounds = quick ? { rounds: 2, warmUp: 1, seed } : { rounds: 40, warmUp: 8, seed };
      const blocks = await compareBlocks(arena, PAIRS, work, rounds);
      return {
        tables: [blockTable(blocks)],
        ratios: blocks.map(({ name, cpu }) => ({
          label: name,
          measured: cpu.ratio,
          ...(name === 'this library' ? { goal: GOAL } : {}),
        })),
        goals: blocks
          .filter(({ name }) => name === 'this library')
          .flatMap(({ name, cpu, wall }) => [
            { what: `time of ${name}`, atMost: GOAL, measured: wall.ratio, unit: '×' },
            { what: `CPU of ${name}`, atMost: GOAL, measured: cpu.ratio, unit: '×' },
          ]),
        notes: [
          'The library checks all that it always checks; the floor checks the status alone, and its request has no header that it does not need.',
          'An idle connection is used for a login during one second; after that the library opens a new one.',
          serverNote(blocks),
        ],
      };
    } finally {
      await arena.stop();
    }
  },
};
