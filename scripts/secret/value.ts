/** Formats an array's secret and tests it against the array. */

import { FlashBladeError, known } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade, Trust } from '../../lib/core/model.ts';
import { login, logout } from '../../lib/flashblade/client.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

/** Timeouts in milliseconds, which are longer than those in the functions. */
const PATIENCE = { connectTimeoutMs: 10_000, firstByteTimeoutMs: 20_000, timeoutMs: 30_000 };

/** Returns the secret as JSON text. The text contains the API token, so pass it only to parseSecret and to the store. */
export const secretText = (array: FlashBlade, token: ApiToken): string =>
  JSON.stringify({ host: hostText(array), apiToken: token.reveal(), ...trustFields(array.trust) });

/** Formats the host without the default HTTPS port. */
const hostText = (array: FlashBlade): string => addressOf(array).replace(/:443$/, '');

function trustFields(trust: Trust): object {
  if (trust.kind === 'public') return {};
  return { trust: trust.kind === 'ca' ? { ca: trust.ca } : { fingerprints: trust.fingerprints } };
}

/**
 * Logs in once, logs out, and returns the username. If the login fails, throws its error with a message that says whether a session may
 * be open. If the logout fails, throws an Error.
 */
export async function tryOut(array: FlashBlade, token: ApiToken): Promise<string> {
  const session = await login(array, token, PATIENCE).catch(withOutcome);
  try {
    await logout(session, PATIENCE);
  } catch (error) {
    throw new Error(
      `the API token works, but the test session could not be closed: ${known(error).message} ` +
        "The array's idle timeout will end that session.",
    );
  }
  return session.username;
}

function withOutcome(thrown: unknown): never {
  const { code, message, facts } = known(thrown);
  const left = facts.mayHaveOpened ? " If a session was opened, the array's idle timeout will end it." : '';
  throw new FlashBladeError(code, message + left, facts);
}
