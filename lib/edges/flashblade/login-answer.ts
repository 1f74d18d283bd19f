/** Exactly the answer to a login that the contract describes, or an error that says whether a session may exist. */

import type { FlashBladeError } from '../../ground/errors.ts';
import { type ApiToken, type AuthToken, authToken, type FlashBlade, type Session } from '../../ground/model.ts';
import { redact, redactApiTokens, type Tokens } from '../../ground/redact.ts';
import { answerError, busy, fieldOf, parseJson } from './answers.ts';
import { type Answer, type AnswerHead, isHeaderValue } from './transport.ts';

const MAX_USERNAME_LENGTH = 256;
/** So many characters of a token in a name are no coincidence. */
const PIECE = 8;

/** The auth token in the head of an answer; undefined if there is none that could be sent back. */
export function authTokenOf({ headers }: AnswerHead): AuthToken | undefined {
  const { 'x-auth-token': value = '' } = headers;
  return isHeaderValue(value) ? authToken(value) : undefined;
}

/**
 * The session that a login opened; `opened` is the auth token in the head of its answer.
 * Throws LOGIN_REFUSED, ARRAY_BUSY or ANSWER_INVALID, each with `facts.mayHaveOpened`.
 */
export function sessionOf(array: FlashBlade, answer: Answer, token: ApiToken, opened: AuthToken | undefined): Session {
  if (answer.status !== 200) throw noSession(array, answer);
  if (opened === undefined) throw invalid(array, answer, 'without an auth token that can be used');
  const username = fieldOf(parseJson(answer.body.toString()), 'username');
  if (!isUsername(username, [token, opened])) {
    throw invalid(array, answer, 'with a body that is not {"username": …}');
  }
  return { array, authToken: opened, apiToken: token, username };
}

function noSession(array: FlashBlade, answer: Answer): FlashBladeError {
  const told = { action: 'a login', answer };
  switch (answer.status) {
    case 400:
    case 401:
    case 403: {
      const advice = 'it does not accept this API token. Put a valid one into its secret; do not try again before.';
      return answerError('LOGIN_REFUSED', array, { ...told, advice }, { mayHaveOpened: false });
    }
    case 429:
    case 503:
      return busy(array, { ...told, advice: 'it is busy. Try again later.' }, { mayHaveOpened: false });
    default:
      return invalid(array, answer, 'with a status that no login has');
  }
}

const invalid = (array: FlashBlade, answer: Answer, what: string): FlashBladeError =>
  answerError(
    'ANSWER_INVALID',
    array,
    {
      action: 'a login',
      answer,
      advice: `${what}. Check that "host" is a FlashBlade and that no proxy stands before it.`,
    },
    { mayHaveOpened: true },
  );

// Whoever has a token in the place of a name must not make us print it.
const isUsername = (value: unknown, tokens: Tokens): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_USERNAME_LENGTH &&
  !/\p{C}/u.test(value) &&
  redactApiTokens(redact(value, tokens)) === value &&
  !tokens.some((token) => sharesPiece(value.toLowerCase(), token.reveal().toLowerCase()));

function sharesPiece(name: string, token: string): boolean {
  if (token.length < PIECE) return name.includes(token);
  for (let end = PIECE; end <= name.length; end++) if (token.includes(name.slice(end - PIECE, end))) return true;
  return false;
}
