/** Which cases there are: a few of every kind for each test run, and all of them for the proof. */
import { arrayCase } from './array-cases.ts';
import type { ASKING, Case } from './asking.ts';
import { awsCases } from './aws-cases.ts';
import { ECHOES } from './echoes.ts';
import { eventCases } from './event-cases.ts';
import { secretCases } from './secret-cases.ts';
import { SPELLINGS } from './spellings.ts';

type Asking = keyof typeof ASKING;
type Answered = { readonly asking: Asking; readonly echo: string; readonly spelling: string };

const PLAIN = 'as it is';
const OTHERS: readonly Asking[] = ['check-fleet', 'logout', 'call-array', 'session-events'];
const ANSWERS = Object.keys(ECHOES);
/** What is taken out of a body, and refused in a username. */
const REDACTED: readonly string[] = [
  ...[PLAIN, 'in upper case', "escaped by a URL's rules", 'escaped twice'],
  ...["escaped by JSON's rules", "escaped by JSON's rules, as a text in JSON"],
];
/** A body that a call hands on whatever it says. */
const HANDED_ON = ['the username', 'errors of shape b', 'errors of shape c', 'another status'];

/**
 * What a caller gets because it asked for it is not judged: a body of a call, or a username, in which an array spells the token in
 * another way.
 */
const isHandedOn = ({ asking, echo, spelling }: Answered): boolean =>
  asking === 'call-array'
    ? HANDED_ON.includes(echo) && !REDACTED.includes(spelling)
    : echo === 'the username' && asking !== 'logout' && ![...REDACTED, 'in part'].includes(spelling);

const answered = (asking: Asking, echoes: readonly string[], spellings: readonly string[]): Answered[] =>
  echoes.flatMap((echo) => spellings.map((spelling) => ({ asking, echo, spelling })));
const casesOf = (all: readonly Answered[]): Case[] =>
  all.filter((one) => !isHandedOn(one)).map(({ asking, echo, spelling }) => arrayCase(asking, echo, spelling));

/** The API token in what a call hands on: it is not what the array was sent, but what it has seen. */
const apiTokenCases = (spellings: readonly string[]): Case[] =>
  ['a header', ...HANDED_ON].flatMap((echo) =>
    spellings.map((spelling) => arrayCase('call-array', echo, spelling, 'API token')),
  );

/** One of so many. */
const someOf = <One>(all: readonly One[], every: number): One[] => all.filter((_, index) => index % every === 0);

/** Each answer once, each bad secret and event once, of the others some. */
export const someCases = (): Case[] => [
  ...casesOf(answered('login', ANSWERS, [PLAIN])),
  ...casesOf(OTHERS.flatMap((asking, index) => someOf(answered(asking, ANSWERS.slice(index), [PLAIN]), 8))),
  ...casesOf(answered('call-array', ['another status'], REDACTED)),
  ...apiTokenCases([PLAIN]),
  ...secretCases('login'),
  ...eventCases(),
  ...someOf(awsCases(), 9),
];

/** Every answer in every spelling at login, and in some for whoever else asks; every bad secret for everybody who reads it; every answer of AWS. */
export const allCases = (): Case[] => [
  // What checks the fleet reads all of the ledger: first, while that is short.
  ...secretCases('check-fleet'),
  ...casesOf(OTHERS.flatMap((asking) => answered(asking, ANSWERS, someOf(Object.keys(SPELLINGS), 6)))),
  ...casesOf(answered('login', ANSWERS, Object.keys(SPELLINGS))),
  ...casesOf(answered('call-array', HANDED_ON, REDACTED)),
  ...apiTokenCases(REDACTED),
  ...(['login', 'session-events'] as const).flatMap(secretCases),
  ...eventCases(),
  ...awsCases(),
];
