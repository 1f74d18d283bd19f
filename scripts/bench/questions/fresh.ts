/** What a login and its logout cost with a connection of their own. */
import { besideOneArray, blockTable, isOurs, type Pair, ratiosOf, serverNote } from '../blocks.ts';
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
    const rounds = quick ? { rounds: 2, warmUp: 1, seed } : { rounds: 90, warmUp: 5, seed };
    const blocks = await besideOneArray(PAIRS, { passes: quick ? 3 : 40, keep: false }, rounds);
    return {
      tables: [blockTable(blocks)],
      ratios: ratiosOf(blocks, GOAL),
      goals: blocks
        .filter(isOurs)
        .map(({ name, cpu }) => ({ what: `CPU of ${name}`, atMost: GOAL, measured: cpu.ratio, unit: '×' })),
      notes: [
        'Under a certificate authority a new connection resumes the TLS session of the one before; under a fingerprint none is resumed, because a resumed one shows no certificate.',
        serverNote(blocks),
      ],
    };
  },
};
