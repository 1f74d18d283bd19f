/** Keeps API tokens off the command line: it is in the shell's history, and every user of the machine can read it. */

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As arrays make them, wherever in an argument. */
const USUAL = new RegExp(`T-${UUID}`, 'i');
/** Newer ones have no prefix; so have the ids of KMS keys. */
const BARE = new RegExp(`^(--?[\\w-]+=)?${UUID}$`, 'i');
const KMS_KEY = '--kms-key';
const NAMED = /^--?[\w-]*(token|password|secret)[\w-]*(=|$)/i;
const KEEP = '--keep-api-token';

/** Whether a text may hold an API token: not every UUID is one. */
export const holdsUuid = (text: string): boolean => new RegExp(UUID, 'i').test(text);

/**
 * Throws an Error if one of the arguments looks like an API token; it does not repeat it.
 * `consumed`: the flags that npm consumed. It left their values among the arguments.
 */
export function refuseTokens(args: readonly string[], consumed: readonly string[] = []): void {
  const words = [...args, ...consumed];
  const isKmsKey = (word: string, index: number) =>
    words[index - 1] === KMS_KEY || word.startsWith(`${KMS_KEY}=`) || consumed.includes(KMS_KEY);
  const looksLikeOne = words.some((word, index) => USUAL.test(word) || (BARE.test(word) && !isKmsKey(word, index)));
  if (looksLikeOne)
    throw new Error(
      'an argument looks like an API token, and it is never one: it is asked for, or read from a pipe. Your shell has kept ' +
        'what you typed: take it out of its history, or better, make a new API token on the array',
    );
  if (words.some((word) => NAMED.test(word) && word !== KEEP))
    throw new Error('the API token is never an argument: it is asked for, or read from a pipe');
}
