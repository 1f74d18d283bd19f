/** What the schedules must find: mistakes that a change could make any day. */
import type { Patch } from './controls.ts';
import type { Dimension } from './world/dimensions.ts';

const OPEN = 'lib/leases/open.ts';
const STATES = 'lib/leases/states.ts';
const TIME = 'lib/core/deadlines.ts';
const WORLD = 'test/proofs/world/ports.ts';

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
        find: 'const opening = await ports.store.write(decision.write, current, by.login);',
        replace: "const opening = { ...decision.write, version: 'not written yet' };",
      },
      {
        file: OPEN,
        find: 'session = await logIn(ports, opening, secret, by.login);',
        replace:
          'session = await logIn(ports, opening, secret, by.login); Object.assign(opening, await ports.store.write(opening, undefined, by.record));',
      },
    ],
  },
  'an item is replaced although it has changed': {
    in: 'plain',
    patches: [
      {
        file: 'test/story/memory-store.ts',
        find: 'return stored?.version === previous?.version;',
        replace: 'return stored !== undefined || previous === undefined;',
      },
    ],
  },
  'a session that could not be recorded is not logged out': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'const isOut = logOut(ports, opening, () => session, by.logout, why);',
        replace: 'const isOut = Promise.resolve();',
      },
    ],
  },
  'live items have a time to live': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: "...relogin, state: 'OPEN', dueAt: opening.expiresAt };",
        replace: "...relogin, state: 'OPEN', dueAt: opening.expiresAt, purgeAt: opening.expiresAt };",
      },
    ],
  },
  'the deadline is ignored when a session is opened': {
    in: 'plain',
    patches: [
      {
        file: 'lib/core/deadlines.ts',
        find: 'const logout = deadline - MARGIN_MS;',
        replace: 'const logout = deadline + 60_000;',
      },
    ],
  },
  'a dead attempt is taken over without a SUSPECT': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: "if (current?.state === 'OPENING') await recordSuspect(ports, current, by.login);",
        replace: ';',
      },
    ],
  },
  'the sweeper drops a dead attempt without a SUSPECT': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/sweep.ts',
        find: 'await leaveSuspect(ports, current, by.record);',
        replace: 'await ports.store.remove(current, by.record);',
      },
    ],
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
        file: 'lib/leases/relogin.ts',
        find: 'await ports.flashblade.logout(session, { deadline: by.login, requestId: ports.newId() });',
        replace: '',
      },
    ],
  },
  'the limit of an array is not kept': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'if (!settledValue(hasSlot)) await waitForSlot(ports, array.name, slot, by.login);',
        replace: '',
      },
    ],
  },
  'a session is logged out of before its lease is claimed': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/close.ts',
        find: 'ports.store.write(claim, current, by.logout),',
        replace: "Promise.resolve({ ...claim, version: 'not written' }),",
      },
    ],
  },
  'the sweeper frees no slot': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/sweep.ts',
        find: 'await ports.store.freeSlot(array, { attemptId: name }, by);',
        replace: '',
      },
    ],
  },
  'a SUSPECT does not count against the limit': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/ledger.ts',
        find: "await bestEffort(ports, 'LedgerWriteFailed', about, () => ports.store.keepSlot(target.name, slot, by));",
        replace: 'await ports.store.freeSlot(target.name, slot, by);',
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
        file: 'lib/fleet/compare-sessions.ts',
        find: 'to: openingUntil + SLACK_SECONDS };\n  }',
        replace: 'to: since };\n  }',
      },
    ],
  },
  'a message counts as done whose work failed': {
    in: 'the queue',
    patches: [
      {
        file: 'lib/leases/dispatch.ts',
        find: 'if (error.retryable) throw error;',
        replace: 'if (error.retryable) return;',
      },
    ],
  },
  'the leases of an ended owner are looked for before the index has caught up': {
    in: 'lagging indexes',
    patches: [
      {
        file: 'lib/leases/end-owner.ts',
        find: 'const OWNER_SETTLED_SECONDS = INDEX_LAG_SECONDS + SLACK_SECONDS;',
        replace: 'const OWNER_SETTLED_SECONDS = 0;',
      },
      {
        file: 'lib/leases/end-owner.ts',
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
        file: 'lib/leases/sweep.ts',
        find: 'filter(([, { until }]) => until + SLACK_SECONDS < now)',
        replace: 'filter(([, { until, leaseId }]) => leaseId !== undefined && until + SLACK_SECONDS < now)',
      },
    ],
  },
};
