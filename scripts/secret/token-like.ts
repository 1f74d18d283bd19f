/** Refuses API tokens on the command line, which the shell's history contains and every user of the machine can read. */
import { containsApiToken, isBareUuid } from '../../lib/core/redact.ts';

const OPTION = /^--?[\w-]+=/;
const KMS_KEY = '--kms-key';
const NAMED = /^--?[\w-]*(token|password|secret)[\w-]*(=|$)/i;
const KEEP = '--keep-api-token';

export class TokenArgument extends Error {}

const LOOKS_LIKE_ONE = 'an argument looks like an API token, and API tokens are never arguments';
const IN_HISTORY =
  'It is now in the history of your shell: create a new API token on the array, or at least remove it from the history';

/** Throws TokenArgument, without the value, if an argument contains an API token with the prefix `T-`. */
export function refuseApiTokens(args: readonly string[]): void {
  if (args.some(containsApiToken)) throw new TokenArgument(`${LOOKS_LIKE_ONE}. ${IN_HISTORY}`);
}

/**
 * Like `refuseApiTokens`, for the command that asks for the API token. It also refuses bare UUIDs and options named after secrets.
 * `consumed`: the flags that npm consumed. npm left their values in the arguments.
 */
export function refuseTokens(args: readonly string[], consumed: readonly string[] = []): void {
  const words = [...args, ...consumed];
  const isKmsKey = (word: string, index: number) =>
    words[index - 1] === KMS_KEY || word.startsWith(`${KMS_KEY}=`) || consumed.includes(KMS_KEY);
  // Newer API tokens have no prefix, and neither have the ids of KMS keys.
  const isBare = (word: string, index: number) => isBareUuid(word.replace(OPTION, '')) && !isKmsKey(word, index);
  const looksLikeOne = words.some((word, index) => containsApiToken(word) || isBare(word, index));
  if (looksLikeOne)
    throw new TokenArgument(`${LOOKS_LIKE_ONE}: npm run secret asks for it or reads it from a pipe. ${IN_HISTORY}`);
  if (words.some((word) => NAMED.test(word) && word !== KEEP))
    throw new Error('the API token is never an argument: the command asks for it or reads it from a pipe');
}
