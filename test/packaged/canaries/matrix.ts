/** The cases: a few of every kind for the tests, and all of them for `npm run prove`. */

import { ECHOES } from './array.ts';
import { type Asking, arrayCase, awsCases, type Case, eventCases, secretCases } from './cases.ts';
import { SPELLINGS } from './spellings.ts';

type Answered = { readonly asking: Asking; readonly echo: string; readonly spelling: string };

const PLAIN = 'verbatim';
const OTHERS: readonly Asking[] = ['check-fleet', 'logout', 'call-array', 'session-events'];
const ANSWERS = Object.keys(ECHOES);
/** Encodings that are redacted in a body and refused in a username. */
const REDACTED: readonly string[] = [
  ...[PLAIN, 'in upper case', 'percent-encoded', 'percent-encoded twice'],
  ...['JSON-escaped', 'JSON-escaped twice'],
];
/** Responses whose body call-array returns unchanged. */
const HANDED_ON = ['the username', 'errors of shape b', 'errors of shape c', 'another status'];

/**
 * Data that a caller requested is not searched: the body of a call, or a username, in which an array encodes the token in a way that is
 * not redacted.
 */
const isHandedOn = ({ asking, echo, spelling }: Answered): boolean =>
  asking === 'call-array'
    ? HANDED_ON.includes(echo) && !REDACTED.includes(spelling)
    : echo === 'the username' && asking !== 'logout' && ![...REDACTED, 'in part'].includes(spelling);

const answered = (asking: Asking, echoes: readonly string[], spellings: readonly string[]): Answered[] =>
  echoes.flatMap((echo) => spellings.map((spelling) => ({ asking, echo, spelling })));
const casesOf = (all: readonly Answered[]): Case[] =>
  all.filter((one) => !isHandedOn(one)).map(({ asking, echo, spelling }) => arrayCase(asking, echo, spelling));

/** The API token in the response to a call. The array did not receive it with this request, but with an earlier one. */
const apiTokenCases = (spellings: readonly string[]): Case[] =>
  ['a header', ...HANDED_ON].flatMap((echo) =>
    spellings.map((spelling) => arrayCase('call-array', echo, spelling, 'API token')),
  );

/** Every n-th item. */
const someOf = <One>(all: readonly One[], every: number): One[] => all.filter((_, index) => index % every === 0);

/** Each response, each bad secret and each event once, and some of the others. */
export const someCases = (): Case[] => [
  ...casesOf(answered('login', ANSWERS, [PLAIN])),
  ...casesOf(OTHERS.flatMap((asking, index) => someOf(answered(asking, ANSWERS.slice(index), [PLAIN]), 8))),
  ...casesOf(answered('call-array', ['another status'], REDACTED)),
  ...casesOf(answered('call-array', ['a server error', 'truncated JSON'], ['in base64 after one byte'])),
  ...apiTokenCases([PLAIN]),
  ...secretCases('login'),
  ...eventCases(),
  ...someOf(awsCases(), 9),
];

/**
 * Every response in every encoding at login, and in some encodings for the other functions; every bad secret for every function
 * that reads it; every AWS response.
 */
export const allCases = (): Case[] => [
  // check-fleet reads the whole ledger: run it first, while the ledger is short.
  ...secretCases('check-fleet'),
  ...casesOf(OTHERS.flatMap((asking) => answered(asking, ANSWERS, someOf(Object.keys(SPELLINGS), 6)))),
  ...casesOf(answered('login', ANSWERS, Object.keys(SPELLINGS))),
  ...casesOf(answered('call-array', HANDED_ON, REDACTED)),
  ...apiTokenCases(REDACTED),
  ...(['login', 'session-events'] as const).flatMap(secretCases),
  ...eventCases(),
  ...awsCases(),
];
