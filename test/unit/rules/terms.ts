/** Words that this project does not use, each with what to write instead. */

export type Term = {
  /** A regular expression, without regard to case unless `isExact`. A space stands for any break, also that between two lines of a comment. */
  readonly find: string;
  readonly write: string;
  readonly isExact?: true;
  /** Only in documents: in code the same word may be an identifier, or stand in messages that programs compare. */
  readonly inDocuments?: true;
};

/** Words that sound as if translated. */
const VOICE: readonly Term[] = [
  { find: 'told', write: 'reported, returned or logged' },
  { find: 'tells', write: 'reports, returns or logs' },
  { find: '(?:no|some|any)body', write: 'the name of the actor' },
  { find: 'whoever', write: 'the name of the actor' },
  { find: 'bears?', write: 'supports or tolerates' },
  { find: 'mend(?:s|ed)?', write: 'fixes' },
  { find: '(?:lays?|laid) \\S+(?: \\S+){0,2} into|(?:lays?|laid) into', write: 'sends to' },
  { find: 'takes? (?:it|them|this|that) for|taken for', write: 'treats as' },
  { find: 'has (?:its|their) defaults? again', write: 'reverts to its default' },
  { find: 'gets? to know', write: 'detects' },
  { find: 'so begins?(?: the names? of)?', write: 'a sentence with "prefix"' },
  { find: 'be it that', write: 'unless' },
  { find: 'by hand', write: 'manually' },
  { find: 'if you like', write: 'optional' },
  { find: 'any more(?! than)', write: 'no longer' },
  { find: '(?<!one )of whose', write: 'a sentence of its own' },
  { find: 'shout(?:s|ed)? about', write: 'raises an alarm' },
  { find: 'in the place of', write: 'instead of, or replaces' },
  { find: 'anew', write: 'again' },
  { find: 'sees? to it', write: 'ensures' },
  { find: 'at hand', write: 'available' },
  { find: 'besides(?=[.,:;])', write: 'also' },
  { find: 'as (?:it|they) (?:was|were) (?:before|found)', write: 'unchanged' },
];

/** One spelling for each name. */
const NAMES: readonly Term[] = [
  { find: 'Flashblades?|[Ff]lash [Bb]lades?', write: 'FlashBlade', isExact: true },
  // Names of packages and folders, which have small letters, stand beside a hyphen, a slash or an underscore.
  { find: '(?<![/.:-]|→ )flashblades?(?![/:-]|\\.\\w| →)', write: 'FlashBlade', isExact: true, inDocuments: true },
  { find: 'secrets? manager', write: 'Secrets Manager' },
  { find: 'SecretsManager', write: 'Secrets Manager', isExact: true, inDocuments: true },
  // AWS has a session token, too.
  { find: 'authentication tokens?|(?<!AWS |access key id and )session tokens?', write: 'auth token' },
  { find: '(?<!x-)auth-tokens?|authtokens?', write: 'auth token', inDocuments: true },
  { find: '[Ll]ease I[Dd]s?|[Ll]ease-ids?|leaseIDs?', write: 'lease id', isExact: true, inDocuments: true },
  { find: 'time-outs?', write: 'timeout' },
  { find: '[Dd]ynamo DB|Dynamodb|dynamoDB', write: 'DynamoDB', isExact: true },
  { find: 'Event Bridge|Eventbridge|eventBridge', write: 'EventBridge', isExact: true, inDocuments: true },
  { find: 'NodeJS|Node\\.JS|nodejs(?!\\d)', write: 'Node.js', isExact: true, inDocuments: true },
  { find: 'Typescript', write: 'TypeScript', isExact: true },
  { find: 'Github', write: 'GitHub', isExact: true },
];

export const TERMS: readonly Term[] = [...VOICE, ...NAMES];
