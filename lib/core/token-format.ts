/** The rule for the text of an API token, and the usual mistakes. Messages never contain the token. */
import { unreplaced } from './unreplaced.ts';

export const TOKEN_RULE = 'must be the API token: 1 to 1024 visible ASCII characters without spaces';

const MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'It is empty'],
  [/^\[(API|auth) token\]$/, 'It is the text that stands for a token in logs and JSON. Pass the token itself'],
  [/^\s*["'`\u2018-\u201f]|["'`\u2018-\u201f]\s*$/, 'Remove the quotation marks'],
  [
    /^\s*(api[-_]?token|x-auth-token|authorization|bearer|token)\s*[:=\s]/i,
    'Keep only the token, without the words before it',
  ],
  [/^\s|\s$/, 'Remove the spaces and line breaks around it'],
  [/\s/, 'Remove the spaces and line breaks in it'],
  [/[^!-~]/, 'It contains a character that no token has. Copy it from the array again'],
  [/.{1025}/, 'It is too long'],
];

/** Returns why a text cannot be an API token, worded to follow `apiToken `, or undefined. */
export function tokenFault(text: string): string | undefined {
  const mistake = MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
  return mistake === undefined ? unreplaced(text) : `${TOKEN_RULE}. ${mistake}`;
}
