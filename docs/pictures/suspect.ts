/** What happens to a login whose process is killed. */
import { openingDeadlines, SLACK_SECONDS } from '../../lib/core/deadlines.ts';
import type { Box, Picture, Shape } from './svg.ts';

/** The x position of each step. Not to scale. */
const AT = { recorded: 176, sent: 248, killed: 320, expired: 432, found: 508, idle: 700, dropped: 848 };
/** The y position where each step's line ends. */
const DOWN = [340, 378, 340, 420, 340, 378, 420];
const LANES = ['Function', 'Array', 'Ledger', 'Alarm', 'Session limit'];
/** Seconds from a call's deadline to its intent's expiry. */
const EXPIRY_SECONDS = openingDeadlines(60_000, 0).openingUntil - 60;

const lane = (index: number): number => 84 + index * 52;
const bar = (index: number, from: number, to: number, look: Partial<Box>): Box => ({
  ...{ kind: 'box', x: from, y: lane(index), width: to - from, height: 36, ...look },
});
/** A horizontal arrow that shows a duration. */
const span = (from: number, to: number, y: number): Shape => ({
  kind: 'arrow',
  isSpan: true,
  points: [
    [from, y],
    [to, y],
  ],
});
const step = (number: number, x: number, y: number, ...lines: string[]): Shape[] => [
  { kind: 'badge', x: x + 11, y: y - 5, number },
  { kind: 'label', x: x + 32, y, lines },
];

export const SUSPECT: Picture = {
  width: 900,
  height: 600,
  title: 'A killed login becomes a SUSPECT and ends',
  description: `The function records the intent, takes a slot, sends the login, and is killed. The array has a session whose auth token is lost. When the intent has expired, a sweep records a SUSPECT and raises the alarm suspect-session. The SUSPECT counts against the array's session limit. The array's idle timeout ends the session. The SUSPECT is dropped after the idle timeout plus ${SLACK_SECONDS} seconds, or once the array lists no session from the SUSPECT's time window.`,
  shapes: [
    { kind: 'label', x: 28, y: 51, lines: ['Time, not to scale'], style: 'line' },
    ...Object.values(AT).flatMap((x, index): Shape[] => [
      { kind: 'badge', x, y: 46, number: index + 1 },
      { kind: 'guide', from: [x, 60], to: [x, DOWN[index] ?? 0] },
    ]),
    ...LANES.map((text, index): Shape => {
      return { kind: 'label', x: 28, y: lane(index) + 23, lines: [text], style: 'head' };
    }),
    bar(0, AT.recorded, AT.killed, { lines: ['logging in'], tone: 'blue' }),
    { kind: 'cross', x: AT.killed, y: lane(0) + 18 },
    bar(1, AT.sent, AT.idle, { lines: ['a session whose auth token is lost'], tone: 'plain' }),
    bar(2, AT.recorded, AT.found, { title: 'OPENING', tone: 'blue' }),
    bar(2, AT.found, AT.dropped, { title: 'SUSPECT', tone: 'amber', isDashed: true }),
    bar(3, AT.found, 656, { lines: ['suspect-session'], tone: 'red' }),
    bar(4, AT.recorded, AT.dropped, { lines: ["one of the array's SESSIONS_PER_ARRAY slots is taken"] }),
    span(AT.sent, AT.idle, 378),
    { kind: 'label', x: (AT.expired + AT.idle) / 2, y: 369, lines: ["array's idle timeout"], anchor: 'middle' },
    span(AT.expired, AT.dropped, 420),
    {
      kind: 'label',
      x: (AT.expired + AT.dropped) / 2,
      y: 411,
      lines: [`idle timeout + ${SLACK_SECONDS} s`],
      anchor: 'middle',
    },

    ...step(1, 28, 472, 'The intent is recorded, and a slot is taken.'),
    ...step(2, 28, 501, 'The login is sent. The array opens a session.'),
    ...step(3, 28, 530, 'The process is killed.'),
    ...step(4, 28, 559, `The intent expires, ${EXPIRY_SECONDS} s after the call's deadline.`),
    ...step(5, 432, 472, 'A sweep finds the intent, records a SUSPECT and', 'raises the alarm.'),
    ...step(6, 432, 520, 'The array ends the idle session.'),
    ...step(
      7,
      432,
      549,
      'The SUSPECT is dropped and its slot is freed (earlier',
      'if the array lists no session from its time window).',
    ),
  ],
};
