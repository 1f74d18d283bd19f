/** Tracks the sessions that a verification opens, so that all of them can be closed at the end. */

import { isFlashBladeError } from '../../lib/core/errors.ts';
import type { FlashBlade } from '../../lib/core/model.ts';
import { authToken } from '../../lib/core/model.ts';
import { logout } from '../../lib/flashblade/client.ts';

const MAX_TRIES = 3;

export type OpenSessions = ReturnType<typeof createOpenSessions>;

export function createOpenSessions(array: FlashBlade) {
  const tokens = new Set<string>();
  const lost: string[] = [];

  return {
    opened: (token: string): void => void tokens.add(token),
    /** Records that a session with an unknown auth token may be open. */
    lost: (how: string): void => void lost.push(how),
    /** The auth tokens of all tracked sessions. */
    tokens: (): readonly string[] => [...tokens],
    /** Logs out of every session, including those that should have ended. Returns a message for each session that may still be open. */
    closeAll: async (): Promise<string[]> => {
      const left: string[] = [];
      for (const token of tokens) {
        const why = await close(array, token);
        if (why !== undefined) left.push(`a session that this verification opened could not be closed: ${why}`);
      }
      return [
        ...left,
        ...lost.map((how) => `${how}, so a session may stay open until the array's idle timeout ends it`),
      ];
    },
  };
}

/** Returns the reason why the session could not be closed, or undefined if it was closed. */
async function close(array: FlashBlade, token: string, tries = 1): Promise<string | undefined> {
  try {
    await logout({ array, authToken: authToken(token), username: '' });
    return undefined;
  } catch (error) {
    if (isFlashBladeError(error) && error.retryable && tries < MAX_TRIES) return close(array, token, tries + 1);
    return error instanceof Error ? error.message : 'an unexpected error';
  }
}
