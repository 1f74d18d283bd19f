/** Keeps API tokens off the command line: it is in the shell's history, and every user of the machine can read it. */
import { containsApiToken, isBareUuid } from '../../lib/core/redact.ts';

const OPTION = /^--?[\w-]+=/;
const KMS_KEY = '--kms-key';
const NAMED = /^--?[\w-]*(token|password|secret)[\w-]*(=|$)/i;
const KEEP = '--keep-api-token';

export class TokenArgument extends Error {}

const LOOKS_LIKE_ONE = 'an argument looks like an API token, and API tokens are never arguments';
const IN_HISTORY =
  'Your shell has kept what you typed: remove it from its history, or better, create a new API token on the array';

/** Throws TokenArgument, without the value, if an argument is, or contains, an API token with `T-`. */
export function refuseApiTokens(args: readonly string[]): void {
  if (args.some(containsApiToken)) throw new TokenArgument(`${LOOKS_LIKE_ONE}. ${IN_HISTORY}`);
}

/**
 * As `refuseApiTokens`, for the command that asks for the API token: it refuses bare UUIDs and options named after secrets, too.
 * `consumed`: the flags that npm consumed. It left their values among the arguments.
 */
export function refuseTokens(args: readonly string[], consumed: readonly string[] = []): void {
  const words = [...args, ...consumed];
  const isKmsKey = (word: string, index: number) =>
    words[index - 1] === KMS_KEY || word.startsWith(`${KMS_KEY}=`) || consumed.includes(KMS_KEY);
  // Newer API tokens have no prefix, and neither have the ids of KMS keys.
  const isBare = (word: string, index: number) => isBareUuid(word.replace(OPTION, '')) && !isKmsKey(word, index);
  const looksLikeOne = words.some((word, index) => containsApiToken(word) || isBare(word, index));
  if (looksLikeOne)
    throw new TokenArgument(`${LOOKS_LIKE_ONE}: npm run secret asks for it, or reads it from a pipe. ${IN_HISTORY}`);
  if (words.some((word) => NAMED.test(word) && word !== KEEP))
    throw new Error('the API token is never an argument: it is asked for, or read from a pipe');
}
