/** Keeps API tokens off the command line: it is in the shell's history, and every user of the machine can read it. */

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As arrays make them, wherever in an argument. */
const USUAL = new RegExp(`T-${UUID}`, 'i');
/** Newer ones have no prefix; so have the ids of KMS keys. */
const BARE = new RegExp(`^(--?[\\w-]+=)?${UUID}$`, 'i');
const KMS_KEY = '--kms-key';
const NAMED = /^--?[\w-]*(token|password|secret)[\w-]*(=|$)/i;
const KEEP = '--keep-api-token';

export const looksLikeToken = (word: string): boolean => USUAL.test(word) || BARE.test(word);

/** Throws an Error if one of the arguments looks like an API token; it does not repeat it. */
export function refuseTokens(args: readonly string[]): void {
  const looksLikeOne = args.some(
    (arg, index) =>
      USUAL.test(arg) || (looksLikeToken(arg) && args[index - 1] !== KMS_KEY && !arg.startsWith(`${KMS_KEY}=`)),
  );
  if (looksLikeOne)
    throw new Error(
      'an argument looks like an API token, and it is never one: it is asked for, or read from a pipe. Your shell has kept ' +
        'what you typed: take it out of its history, or better, make a new API token on the array',
    );
  if (args.some((arg) => NAMED.test(arg) && arg !== KEEP))
    throw new Error('the API token is never an argument: it is asked for, or read from a pipe');
}
