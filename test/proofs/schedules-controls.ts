/** What the schedules must find: mistakes that a change could make any day. */
import type { Patch } from './controls.ts';
import type { Dimension } from './world/dimensions.ts';

const OPEN = 'lib/story/open-session.ts';
const ATTEMPT = 'lib/story/login-attempt.ts';
const STATES = 'lib/ground/lease-states.ts';
const TIME = 'lib/ground/time.ts';
const WORLD = 'test/proofs/world/edges.ts';

/** `in`: the dimension that finds it. */
export type Mistake = { readonly in: Dimension; readonly patches: readonly Patch[] };

/** The slack in other seconds. */
const slack = (skewSeconds: number, lateSeconds: number): readonly Patch[] => [
  { file: TIME, find: 'CLOCK_SKEW_SECONDS = 60;', replace: `CLOCK_SKEW_SECONDS = ${skewSeconds};` },
  { file: TIME, find: 'LATE_SECONDS = 60;', replace: `LATE_SECONDS = ${lateSeconds};` },
];

/** By the sentence that tells the mistake. */
export const MISTAKES: Readonly<Record<string, Mistake>> = {
  'the intent is written after the login': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'if (await edges.leases.write(opening, current, by.login)) return { opening };',
        replace: 'return { opening };',
      },
      {
        file: ATTEMPT,
        find: 'session = answer.data;',
        replace: 'session = answer.data; await edges.leases.write(opening, undefined, by.record);',
      },
    ],
  },
  'neither attemptId nor version of what is replaced is checked': {
    in: 'plain',
    patches: [
      {
        file: 'test/story/memory-store.ts',
        find: 'return stored?.attemptId === previous?.attemptId && stored?.version === previous?.version;',
        replace: 'return stored !== undefined || previous === undefined;',
      },
    ],
  },
  'a session that could not be recorded is not logged out': {
    in: 'plain',
    patches: [
      {
        file: ATTEMPT,
        find: 'throw await undo(edges, opening, session, known(error), by);',
        replace: 'await settleSuspect(edges, opening, by.logout); throw known(error);',
      },
    ],
  },
  'live items have a time to live': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: "...relogin, state: 'OPEN', dueAt: current.expiresAt };",
        replace: "...relogin, state: 'OPEN', dueAt: current.expiresAt, purgeAt: current.expiresAt };",
      },
    ],
  },
  'the deadline is ignored when a session is opened': {
    in: 'plain',
    patches: [
      {
        file: 'lib/ground/time.ts',
        find: 'const logout = deadline - MARGIN_MS;',
        replace: 'const logout = deadline + 60_000;',
      },
    ],
  },
  'a dead attempt is taken over without a SUSPECT': {
    in: 'plain',
    patches: [{ file: OPEN, find: 'await writeSuspect(edges, current, by.login);', replace: ';' }],
  },
  'the sweeper drops a dead attempt without a SUSPECT': {
    in: 'plain',
    patches: [{ file: 'lib/story/sweep-one.ts', find: 'await writeSuspect(edges, current, by.record);', replace: '' }],
  },
  'a SUSPECT is forgotten before its session is idle for too long': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: 'const until = item.openingUntil + SLACK_SECONDS + idleSeconds;',
        replace: 'const until = item.attemptedAt + idleSeconds;',
      },
    ],
  },
  'another login begins before the old session is logged out': {
    in: 'plain',
    patches: [
      {
        file: 'lib/story/held-session.ts',
        find: 'await edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() });',
        replace: '',
      },
    ],
  },
  'the limit of an array is not kept': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'if (!settled(taken)) await takeAgain(edges, array.name, slot, by.login);',
        replace: '',
      },
    ],
  },
  'a session is logged out of before its lease is claimed': {
    in: 'plain',
    patches: [
      {
        file: 'lib/story/close-session.ts',
        find: 'edges.leases.write(claimed, current, by.logout),',
        replace: 'Promise.resolve(true),',
      },
    ],
  },
  'the sweeper frees no slot': {
    in: 'plain',
    patches: [
      {
        file: 'lib/story/sweep-one.ts',
        find: 'await edges.leases.freeSlot(array, { attemptId: name }, by.record);',
        replace: '',
      },
    ],
  },
  'a SUSPECT does not count against the limit': {
    in: 'plain',
    patches: [
      {
        file: 'lib/story/ledger.ts',
        find: 'await tidy(edges, opening, () => edges.leases.keepSlot(target.name, slot, by));',
        replace: 'await edges.leases.freeSlot(target.name, slot, by);',
      },
    ],
  },
  'nothing allows for an array that is late': { in: 'late arrays', patches: slack(0, 0) },
  'nothing allows for clocks that differ': { in: 'skewed clocks', patches: slack(0, 0) },
  'a third of the slack is all': { in: 'late, skewed and stopped', patches: slack(20, 20) },
  'late arrays are allowed for by what clocks may differ': { in: 'fleet checks', patches: slack(60, 0) },
  'clocks are allowed to differ by half of what they do': { in: 'everything', patches: slack(30, 60) },
  'a stopped process sends its login when it goes on': {
    in: 'stopped processes',
    patches: [...slack(10, 0), { file: WORLD, find: 'looksAgain: true,', replace: 'looksAgain: false,' }],
  },
  'the fleet check drops a SUSPECT whose session may still begin': {
    in: 'fleet checks',
    patches: [
      {
        file: 'lib/ground/session-windows.ts',
        find: 'to: openingUntil + SLACK_SECONDS };\n  }',
        replace: 'to: since };\n  }',
      },
    ],
  },
  'a message counts as done whose work failed': {
    in: 'the queue',
    patches: [
      {
        file: 'lib/story/session-events.ts',
        find: 'if (error.retryable) throw error;',
        replace: 'if (error.retryable) return;',
      },
    ],
  },
  'the leases of an ended owner are looked for before the index has caught up': {
    in: 'lagging indexes',
    patches: [
      {
        file: 'lib/ground/ledger-marks.ts',
        find: 'const OWNER_SETTLED_SECONDS = INDEX_LAG_SECONDS + SLACK_SECONDS;',
        replace: 'const OWNER_SETTLED_SECONDS = 0;',
      },
      {
        file: 'lib/ground/ledger-marks.ts',
        find: 'const OWNER_AGAIN_SECONDS = INDEX_LAG_SECONDS;',
        replace: 'const OWNER_AGAIN_SECONDS = 0;',
      },
    ],
  },
  'a lease that could not log in again never can': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: "return { ...base, ...again, attemptId: current.attemptId, state: 'OPEN', dueAt: current.expiresAt };",
        replace:
          "return { ...base, ...again, reloginAt: 9e9, attemptId: current.attemptId, state: 'OPEN', dueAt: current.expiresAt };",
      },
    ],
  },
  'a lease is given to another owner': {
    in: 'two owners',
    patches: [
      {
        file: STATES,
        find: 'if (current.target && current.owner !== intent.owner) {',
        replace: 'if (Number.NaN > 0) {',
      },
    ],
  },
  'slots of a former version are never freed': {
    in: 'a former version',
    patches: [
      {
        file: 'lib/story/sweep-one.ts',
        find: 'filter(([, { until }]) => until + SLACK_SECONDS < now)',
        replace: 'filter(([, { until, leaseId }]) => leaseId !== undefined && until + SLACK_SECONDS < now)',
      },
    ],
  },
};
