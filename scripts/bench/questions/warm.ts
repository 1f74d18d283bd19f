/** What a login and its logout cost on a connection that is there already. */
import { besideOneArray, blockTable, isOurs, type Pair, ratiosOf, serverNote } from '../blocks.ts';
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
    // As long as it takes until V8 has compiled all that it will.
    const rounds = quick ? { rounds: 2, warmUp: 1, seed } : { rounds: 120, warmUp: 60, seed };
    const blocks = await besideOneArray(PAIRS, { passes: quick ? 5 : 200, keep: true }, rounds);
    return {
      tables: [blockTable(blocks)],
      ratios: ratiosOf(blocks, GOAL, 'wall'),
      goals: blocks.filter(isOurs).flatMap(({ name, cpu, wall }) => [
        { what: `time of ${name}`, atMost: GOAL, measured: wall.ratio, unit: '×' },
        { what: `CPU of ${name}, a bound of our own`, atMost: GOAL, measured: cpu.ratio, unit: '×' },
      ]),
      notes: [
        'The library checks all that it always checks; the floor checks the status alone, and its request has no header that it does not need.',
        'An idle connection is used for a login during one second; after that the library opens a new one.',
        'The goal that was set is one of time, as what it was set by was: how long somebody waits for the pair, and not what of that is CPU. The same bound for CPU is ours.',
        serverNote(blocks),
      ],
    };
  },
};
