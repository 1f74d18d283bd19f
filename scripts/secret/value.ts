/** Formats an array's secret, and tries it on the array. */

import { FlashBladeError, known } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade, Trust } from '../../lib/core/model.ts';
import { login, logout } from '../../lib/flashblade/client.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

/** Timeouts in milliseconds, longer than in a function. */
const PATIENCE = { connectMs: 10_000, firstByteMs: 20_000, totalMs: 30_000 };

/** The JSON text of the secret. It contains the API token, so pass it only to parseSecret and to the store. */
export const secretText = (array: FlashBlade, token: ApiToken): string =>
  JSON.stringify({ host: hostText(array), apiToken: token.reveal(), ...trustFields(array.trust) });

/** Omits the default port of HTTPS. */
const hostText = (array: FlashBlade): string => addressOf(array).replace(/:443$/, '');

function trustFields(trust: Trust): object {
  if (trust.kind === 'public') return {};
  return { trust: trust.kind === 'ca' ? { ca: trust.ca } : { fingerprints: trust.fingerprints } };
}

/**
 * Logs in once, logs out, and returns the username. Throws the errors of a login, whose message says whether a session may be open,
 * or an Error if the session could not be closed.
 */
export async function tryOut(array: FlashBlade, token: ApiToken): Promise<string> {
  const session = await login(array, token, PATIENCE).catch(withOutcome);
  try {
    await logout(session, PATIENCE);
  } catch (error) {
    throw new Error(
      `the API token works, but the test session could not be closed: ${known(error).message} ` +
        "The array's idle timeout ends it.",
    );
  }
  return session.username;
}

function withOutcome(thrown: unknown): never {
  const { code, message, facts } = known(thrown);
  const left = facts.mayHaveOpened ? " If a session was opened, the array's idle timeout ends it." : '';
  throw new FlashBladeError(code, message + left, facts);
}
