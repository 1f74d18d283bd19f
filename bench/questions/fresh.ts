/** Measures the cost of a login and logout on a new connection. */
import { besideOneArray, cycleTable, goalsOf, type Pair } from '../cycles.ts';
import type { Question } from '../report.ts';

const PAIRS: readonly Pair[] = [
  ['raw node:tls', 'raw node:tls'],
  ['this library', 'raw node:tls'],
  ['node:https', 'raw node:tls'],
  ['raw node:tls, never resumed', 'raw node:tls, never resumed'],
  ['this library, fingerprint', 'raw node:tls, never resumed'],
];

export const fresh: Question = {
  name: 'fresh',
  title: 'A new connection for each login and logout',
  ask: async (quick) => {
    const rounds = quick ? { rounds: 2, warmUp: 1 } : { rounds: 90, warmUp: 5 };
    const blocks = await besideOneArray(PAIRS, { passes: quick ? 3 : 40, keep: false }, rounds);
    return {
      tables: [cycleTable(blocks)],
      goals: goalsOf(blocks, 'cpu', 1.4),
      notes: [
        'If the client trusts a certificate authority, a new connection resumes the previous TLS session.',
        'If the client trusts a fingerprint, no TLS session is resumed, because the server presents no certificate on resumption.',
      ],
    };
  },
};
