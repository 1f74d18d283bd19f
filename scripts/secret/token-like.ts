/** Rejects API tokens in arguments, because arguments end up in the shell history and are visible to every user on the machine. */
import { containsApiToken, isBareUuid } from '../../lib/core/redact.ts';

const OPTION = /^--?[\w-]+=/;
const KMS_KEY = '--kms-key';
const NAMED = /^--?[\w-]*(token|password|secret)[\w-]*(=|$)/i;
const KEEP = '--keep-api-token';

export class TokenArgument extends Error {}

const LOOKS_LIKE_ONE = 'an argument looks like an API token, but API tokens must never be passed as arguments';
const IN_HISTORY =
  'Your shell history now contains the token. Create a new API token on the array, or at least remove this one from the history';

/** Throws TokenArgument, without the value, if an argument contains an API token with the prefix `T-`. */
export function refuseApiTokens(args: readonly string[]): void {
  if (args.some(containsApiToken)) throw new TokenArgument(`${LOOKS_LIKE_ONE}. ${IN_HISTORY}`);
}

/**
 * Like `refuseApiTokens`, but for the command that asks for the API token. Also rejects bare UUIDs, and options such as `--api-token` or
 * `--password`. `consumed` are the flags that npm consumed. Their values remain among the arguments.
 */
export function refuseTokens(args: readonly string[], consumed: readonly string[] = []): void {
  const words = [...args, ...consumed];
  const isKmsKey = (word: string, index: number) =>
    words[index - 1] === KMS_KEY || word.startsWith(`${KMS_KEY}=`) || consumed.includes(KMS_KEY);
  // Newer API tokens are bare UUIDs, and so are KMS key ids.
  const isBare = (word: string, index: number) => isBareUuid(word.replace(OPTION, '')) && !isKmsKey(word, index);
  const looksLikeOne = words.some((word, index) => containsApiToken(word) || isBare(word, index));
  if (looksLikeOne)
    throw new TokenArgument(
      `${LOOKS_LIKE_ONE}; npm run secret asks for the token or reads it from a pipe. ${IN_HISTORY}`,
    );
  if (words.some((word) => NAMED.test(word) && word !== KEEP))
    throw new Error('never pass the API token as an argument; the command asks for it or reads it from a pipe');
}
