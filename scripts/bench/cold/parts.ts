/** Of what a cold start consists. Each part ends when the process asks for work, somebody answers it, or it answers. */
import type { Usage } from '../compare.ts';
import { intervalOf } from '../measure.ts';
import { between, percent } from '../numbers.ts';
import type { Table } from '../question.ts';

/** What a process has used since its start: when it asked for work, and when it had done that. */
export type Empty = Readonly<Record<'asked' | 'done', Usage>>;
/** Besides: when it got the secret, the last answer to the intent, and the session. */
export type Login = Empty & Readonly<Record<'secret' | 'intent' | 'session', Usage>>;

type Part = {
  readonly name: string;
  readonly endsWhen: string;
  /** `empty` is of the same round. */
  readonly of: (login: Login, empty: Empty) => Usage;
};

const PARTS: readonly Part[] = [
  { name: 'boot', endsWhen: 'the empty handler asks for work', of: (_, empty) => empty.asked },
  {
    name: 'start',
    endsWhen: 'login asks for work, imported and connected with DynamoDB: what it takes beyond the empty handler',
    of: (login, empty) => minus(login.asked, empty.asked),
  },
  { name: 'secret', endsWhen: 'Secrets Manager answers', of: ({ secret, asked }) => minus(secret, asked) },
  {
    name: 'ledger, before the login',
    endsWhen: 'intent, slot, marker and data key are all answered',
    of: ({ intent, secret }) => minus(intent, secret),
  },
  { name: 'login', endsWhen: 'the array answers with a session', of: ({ session, intent }) => minus(session, intent) },
  {
    name: 'ledger, after the login',
    endsWhen: 'the lease is recorded and its id is with the caller',
    of: ({ done, session }) => minus(done, session),
  },
];

const minus = (to: Usage, from: Usage): Usage => ({
  wallMs: to.wallMs - from.wallMs,
  cpuMs: to.cpuMs - from.cpuMs,
});

/** One row per part. The n-th of `logins` and the n-th of `empties` are of the same round. */
export function partsTable(logins: readonly Login[], empties: readonly Empty[]): Table {
  const rounds = logins.map((login, round) => {
    const empty = empties[round];
    if (empty === undefined) throw new Error(`no empty handler was started in round ${round}`);
    return { login, empty };
  });
  const whole = intervalOf(logins.map(({ done }) => done.cpuMs)).median;
  return {
    columns: ['part', 'ends when', 'CPU ms', 'of the whole', 'time ms'],
    rows: PARTS.map(({ name, endsWhen, of }) => {
      const usages = rounds.map(({ login, empty }) => of(login, empty));
      const [cpu, wall] = [
        intervalOf(usages.map(({ cpuMs }) => cpuMs)),
        intervalOf(usages.map(({ wallMs }) => wallMs)),
      ];
      return [name, endsWhen, between(cpu), percent(cpu.median, whole), between(wall)];
    }),
  };
}
