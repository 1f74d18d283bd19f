/** What the schedules must find: mistakes that a change could make any day. */
import type { Patch } from './controls.ts';

const OPEN = 'lib/story/open-session.ts';
const ATTEMPT = 'lib/story/login-attempt.ts';
const STATES = 'lib/ground/lease-states.ts';

/** By the sentence that tells the mistake. */
export const MISTAKES: Readonly<Record<string, readonly Patch[]>> = {
  'the intent is written after the login': [
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
  'neither attemptId nor version of what is replaced is checked': [
    {
      file: 'test/story/memory-store.ts',
      find: 'return stored?.attemptId === previous?.attemptId && stored?.version === previous?.version;',
      replace: 'return stored !== undefined || previous === undefined;',
    },
  ],
  'a session that could not be recorded is not logged out': [
    {
      file: ATTEMPT,
      find: 'throw await undo(edges, opening, session, known(error), by);',
      replace: 'await settle(edges, opening, by.logout); throw known(error);',
    },
  ],
  'live items have a time to live': [
    {
      file: STATES,
      find: "state: 'OPEN', dueAt: current.expiresAt };",
      replace: "state: 'OPEN', dueAt: current.expiresAt, purgeAt: current.expiresAt };",
    },
  ],
  'the deadline is ignored when a session is opened': [
    {
      file: 'lib/ground/time.ts',
      find: 'const logout = deadline - MARGIN_MS;',
      replace: 'const logout = deadline + 60_000;',
    },
  ],
  'a dead attempt is taken over without a SUSPECT': [
    { file: OPEN, find: 'await writeSuspect(edges, current, by.login);', replace: ';' },
  ],
  'the sweeper drops a dead attempt without a SUSPECT': [
    { file: 'lib/story/sweep-one.ts', find: 'await writeSuspect(edges, current, by.record);', replace: '' },
  ],
  'a SUSPECT is forgotten before its session is idle for too long': [
    {
      file: STATES,
      find: 'const until = item.openingUntil + idleSeconds;',
      replace: 'const until = item.attemptedAt + idleSeconds;',
    },
  ],
  'another login begins before the old session is logged out': [
    {
      file: 'lib/story/held-session.ts',
      find: 'await edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() });',
      replace: '',
    },
  ],
  'the limit of an array is not kept': [
    {
      file: OPEN,
      find: 'if (!settled(joined)) throw tooMany(array.name, place.limit);',
      replace: '',
    },
  ],
  'a session is logged out of before its lease is claimed': [
    {
      file: 'lib/story/close-session.ts',
      find: 'edges.leases.write(claimed, current, by.logout),',
      replace: 'Promise.resolve(true),',
    },
  ],
  'the sweeper looks at no place': [
    {
      file: 'lib/story/sweep-one.ts',
      find: 'if (!holds) await edges.leases.leave(array, leaseId, by.record, attemptId);',
      replace: '',
    },
  ],
};
