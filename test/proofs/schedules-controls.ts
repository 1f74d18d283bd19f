/** Plausible mistakes that the schedules must find. */
import type { Patch } from './controls.ts';
import type { Dimension } from './world/dimensions.ts';

const OPEN = 'lib/leases/open.ts';
const STATES = 'lib/leases/states.ts';
const TIME = 'lib/core/deadlines.ts';
const WORLD = 'test/proofs/world/hook.ts';

/** `in`: the dimension that finds it. */
export type Mistake = { readonly in: Dimension; readonly patches: readonly Patch[] };

/** Changes the slack. */
const slack = (skewSeconds: number, lateSeconds: number): readonly Patch[] => [
  { file: TIME, find: 'CLOCK_SKEW_SECONDS = 60;', replace: `CLOCK_SKEW_SECONDS = ${skewSeconds};` },
  { file: TIME, find: 'LATE_SECONDS = 60;', replace: `LATE_SECONDS = ${lateSeconds};` },
];

/** Each key completes the sentence `the schedules fail if …`. */
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
  'a write replaces an item that another process has changed': {
    in: 'plain',
    patches: [
      {
        file: 'test/kit/memory/memory-store.ts',
        find: 'return stored?.version === previous?.version;',
        replace: 'return stored !== undefined || previous === undefined;',
      },
    ],
  },
  'a session that cannot be recorded is not logged out': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'await logOut(ports, opening, () => session, by.logout, why);',
        replace: '',
      },
    ],
  },
  'an open lease has a time to live': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: "...relogin, state: 'OPEN', dueAt: opening.expiresAt };",
        replace: "...relogin, state: 'OPEN', dueAt: opening.expiresAt, purgeAt: opening.expiresAt };",
      },
    ],
  },
  'opening a session ignores the deadline': {
    in: 'plain',
    patches: [
      {
        file: 'lib/core/deadlines.ts',
        find: 'const logout = deadline - MARGIN_MS;',
        replace: 'const logout = deadline + 60_000;',
      },
    ],
  },
  'a new attempt replaces a dead one without recording a SUSPECT': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: "if (current?.state === 'OPENING') await recordSuspect(ports, current, by.login);",
        replace: ';',
      },
    ],
  },
  'the sweeper removes a dead attempt without recording a SUSPECT': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/sweep.ts',
        find: 'await leaveSuspect(ports, current, by.record);',
        replace: 'await ports.store.remove(current, by.record);',
      },
    ],
  },
  'a SUSPECT is dropped before the array ends its session as idle': {
    in: 'plain',
    patches: [
      {
        file: STATES,
        find: 'const until = item.openingUntil + SLACK_SECONDS + idleSeconds;',
        replace: 'const until = item.attemptedAt + idleSeconds;',
      },
    ],
  },
  'a relogin starts before the old session is logged out': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/session.ts',
        find: 'await ports.flashblade.logout(session, { deadline: by.login, requestId: ports.newId() });',
        replace: '',
      },
    ],
  },
  'the session limit of an array is not enforced': {
    in: 'plain',
    patches: [
      {
        file: OPEN,
        find: 'if (!settledValue(hasSlot)) await waitForSlot(ports, array.name, slot, by.login);',
        replace: '',
      },
    ],
  },
  'a session is logged out before its lease is claimed': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/close.ts',
        find: 'ports.store.write(claim, current, by.logout),',
        replace: "Promise.resolve({ ...claim, version: 'not written' }),",
      },
    ],
  },
  'the sweeper never frees a slot': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/sweep.ts',
        find: 'await ports.store.freeSlot(array, { attemptId: name }, by);',
        replace: '',
      },
    ],
  },
  'a SUSPECT does not count toward the session limit': {
    in: 'plain',
    patches: [
      {
        file: 'lib/leases/ledger.ts',
        find: 'await tryToWrite(ports, opening, () => ports.store.keepSlot(target.name, slot, by));',
        replace: 'await ports.store.freeSlot(target.name, slot, by);',
      },
    ],
  },
  'there is no slack for arrays that act late': { in: 'late arrays', patches: slack(0, 0) },
  'there is no slack for clocks that differ': { in: 'skewed clocks', patches: slack(0, 0) },
  'the slack is only a third of what it should be': { in: 'late, skewed and stopped', patches: slack(20, 20) },
  'the slack covers clock skew but not late arrays': { in: 'fleet checks', patches: slack(60, 0) },
  'the slack covers only half of the clock skew': { in: 'everything', patches: slack(30, 60) },
  'a stopped process still sends its login when it resumes': {
    in: 'stopped processes',
    patches: [...slack(10, 0), { file: WORLD, find: 'looksAgain: true,', replace: 'looksAgain: false,' }],
  },
  'the fleet check drops a SUSPECT whose session may still start': {
    in: 'fleet checks',
    patches: [
      {
        file: 'lib/fleet/compare-sessions.ts',
        find: 'to: openingUntil + SLACK_SECONDS };\n  }',
        replace: 'to: since };\n  }',
      },
    ],
  },
  'a message whose work failed is treated as handled': {
    in: 'the queue',
    patches: [
      {
        file: 'lib/leases/dispatch.ts',
        find: 'if (error.retryable) throw error;',
        replace: 'if (error.retryable) return;',
      },
    ],
  },
  'the leases of an ended owner are looked up before the index has caught up': {
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
  'a lease whose relogin failed can never log in again': {
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
  'a lease is returned to an owner other than its own': {
    in: 'two owners',
    patches: [
      {
        file: STATES,
        find: 'if (current.target && current.owner !== intent.owner) {',
        replace: 'if (Number.NaN > 0) {',
      },
    ],
  },
  'slots that a former version took are never freed': {
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
