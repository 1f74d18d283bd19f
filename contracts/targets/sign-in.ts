/** Logs in and out for state handlers, and records every session. */

import { isFlashBladeError } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade, Session } from '../../lib/core/model.ts';
import { login, logout } from '../../lib/flashblade/client.ts';
import type { OpenSessions } from './open-sessions.ts';

/** Logs in and records the session as opened. If the login fails after the request was sent, records the session as lost. */
export async function openSession(array: FlashBlade, token: ApiToken, sessions: OpenSessions): Promise<Session> {
  try {
    const session = await login(array, token);
    sessions.opened(session.authToken.reveal());
    return session;
  } catch (error) {
    if (isFlashBladeError(error) && error.facts.mayHaveOpened)
      sessions.lost('a login failed after the request was sent');
    throw error;
  }
}

/** Logs in, then out. */
export async function endedSession(array: FlashBlade, token: ApiToken, sessions: OpenSessions): Promise<Session> {
  const session = await openSession(array, token, sessions);
  await logout(session);
  return session;
}
