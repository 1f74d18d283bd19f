/** Measures the cost of a login and logout on a connection that is already open. */
import { besideOneArray, cycleTable, goalsOf, type Pair } from '../cycles.ts';
import type { Question } from '../report.ts';

const BASELINE = 'raw node:tls';
const PAIRS: readonly Pair[] = [
  [BASELINE, BASELINE],
  ['this library', BASELINE],
  ['undici dispatch', BASELINE],
  ['node:https', BASELINE],
  ['global fetch', BASELINE],
];
const GOAL = 1.6;

export const warm: Question = {
  name: 'warm',
  title: 'Login and logout on one kept-alive connection',
  ask: async (quick) => {
    // V8 needs this many warm-up rounds to compile everything.
    const rounds = quick ? { rounds: 2, warmUp: 1 } : { rounds: 120, warmUp: 60 };
    const blocks = await besideOneArray(PAIRS, { passes: quick ? 5 : 200, keep: true }, rounds);
    return {
      tables: [cycleTable(blocks)],
      goals: [...goalsOf(blocks, 'wall', GOAL), ...goalsOf(blocks, 'cpu', GOAL)],
      notes: [
        'The library performs all its checks. The baseline checks only the status and sends only the necessary headers.',
        'For logins, the library reuses a connection that has been idle for up to one second. Otherwise, it opens a new one.',
      ],
    };
  },
};
