/** An array's secret as text, and whether it works. */

import { FlashBladeError, known } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade, Trust } from '../../lib/core/model.ts';
import { login, logout } from '../../lib/flashblade/client.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

/** A person waits longer than a function may. Milliseconds. */
const PATIENCE = { connectMs: 10_000, firstByteMs: 20_000, totalMs: 30_000 };

/** The JSON text that Secrets Manager is to hold. It has the API token in it: for parseSecret and the store only. */
export const secretText = (array: FlashBlade, token: ApiToken): string =>
  JSON.stringify({ host: hostText(array), apiToken: token.reveal(), ...trustFields(array.trust) });

/** HTTPS's own port need not be said. */
const hostText = (array: FlashBlade): string => addressOf(array).replace(/:443$/, '');

function trustFields(trust: Trust): object {
  if (trust.kind === 'public') return {};
  return { trust: trust.kind === 'ca' ? { ca: trust.ca } : { fingerprints: trust.fingerprints } };
}

/**
 * Logs in, once, and out; returns the username. Throws what a login throws, with what became of the session, or an Error if the
 * session could not be closed.
 */
export async function tryOut(array: FlashBlade, token: ApiToken): Promise<string> {
  const session = await login(array, token, PATIENCE).catch(toldApart);
  try {
    await logout(session, PATIENCE);
  } catch (error) {
    throw new Error(
      `the API token works, but the session that tried it could not be closed: ${known(error).message} ` +
        "It ends by the array's idle time-out.",
    );
  }
  return session.username;
}

function toldApart(thrown: unknown): never {
  const { code, message, facts } = known(thrown);
  const left = facts.mayHaveOpened ? " If a session was opened, it ends by the array's idle time-out." : '';
  throw new FlashBladeError(code, message + left, facts);
}
