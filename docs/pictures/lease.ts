/** The life of a lease: its states and transitions, as in lib/leases/states.ts. */
import { SLACK_SECONDS } from '../../lib/core/deadlines.ts';
import type { LeaseItem } from '../../lib/leases/items.ts';
import { KEEP_CLOSED_SECONDS, STUCK_RETRY_SECONDS, TRIES_UNTIL_STUCK } from '../../lib/leases/states.ts';
import type { Arrow, Box, Picture, Point } from './svg.ts';

const SIZE = { height: 64, kind: 'box' } as const;

/** Every state of a lease, plus SUSPECT. */
export const STATES: Readonly<Record<LeaseItem['state'] | 'SUSPECT', Box>> = {
  SUSPECT: {
    ...{ ...SIZE, x: 300, y: 48, width: 200, tone: 'amber', isDashed: true },
    ...{ title: 'SUSPECT', lines: ['alarm raised, slot kept'] },
  },
  OPENING: {
    ...{ ...SIZE, x: 300, y: 200, width: 200, tone: 'blue' },
    ...{ title: 'OPENING', lines: ['recorded, logging in'] },
  },
  OPEN: {
    ...{ ...SIZE, x: 668, y: 200, width: 200, tone: 'blue' },
    ...{ title: 'OPEN', lines: ['in use; can be renewed'] },
  },
  CLOSING: {
    ...{ ...SIZE, x: 668, y: 352, width: 200, tone: 'blue' },
    ...{ title: 'CLOSING', lines: ['logging out, with retries'] },
  },
  CLOSED: {
    ...{ ...SIZE, x: 300, y: 352, width: 200, tone: 'green' },
    ...{ title: 'CLOSED', lines: [`deleted after ${KEEP_CLOSED_SECONDS / 86_400} days`] },
  },
  STUCK: {
    ...{ ...SIZE, x: 668, y: 504, width: 200, tone: 'red' },
    ...{ title: 'STUCK', lines: [`alarm; retry every ${STUCK_RETRY_SECONDS / 60} min`] },
  },
};

const NOTHING: Box = { ...SIZE, x: 32, y: 200, width: 120, isDashed: true, title: 'no lease' };

const arrow = (shows: readonly [from: string, to: string], ...points: Point[]): Arrow => ({
  ...{ kind: 'arrow', shows, points, isDashed: shows[1] === 'SUSPECT' },
});

export const LEASE: Picture = {
  width: 900,
  height: 600,
  title: 'The life of a lease',
  description: `A request records an intent, which makes the lease OPENING. A successful login makes the lease OPEN. A release, the expiry or the owner's end makes the lease CLOSING. A confirmed logout makes the lease CLOSED. After ${TRIES_UNTIL_STUCK} failed logouts, the lease becomes STUCK, which raises an alarm, and the sweeper keeps retrying the logout. An attempt that may have left a session becomes a SUSPECT, a separate item that raises an alarm.`,
  shapes: [
    ...Object.values(STATES),
    NOTHING,

    arrow(['nothing', 'OPENING'], [152, 218], [300, 218]),
    { kind: 'label', x: 222, y: 208, anchor: 'middle', lines: ['requested'] },
    arrow(['OPENING', 'nothing'], [300, 246], [152, 246]),
    { kind: 'label', x: 222, y: 268, anchor: 'middle', lines: ['login failed,', 'no session left'] },

    arrow(['OPENING', 'OPEN'], [500, 218], [668, 218]),
    { kind: 'label', x: 584, y: 189, anchor: 'middle', lines: ['session recorded, or', 'relogin failed for now'] },
    arrow(['OPEN', 'OPENING'], [668, 246], [500, 246]),
    { kind: 'label', x: 584, y: 268, anchor: 'middle', lines: ['array dropped the', 'session: relogin'] },

    arrow(['OPENING', 'SUSPECT'], [400, 200], [400, 112]),
    { kind: 'label', x: 414, y: 144, lines: ['process died, or', 'response lost'] },
    {
      kind: 'label',
      x: 284,
      y: 66,
      style: 'line',
      anchor: 'end',
      lines: ['A separate item. Its lease', 'is removed, closed or', 'taken over.'],
    },
    arrow(['SUSPECT', 'nothing'], [500, 80], [560, 80]),
    { kind: 'ring', x: 569, y: 80 },
    {
      ...{ kind: 'label', x: 592, y: 66 },
      lines: [
        `dropped after idle timeout + ${SLACK_SECONDS} s,`,
        'or once the array lists no',
        'session from its time window',
      ],
    },

    arrow(['OPENING', 'CLOSED'], [400, 264], [400, 352]),
    { kind: 'label', x: 414, y: 316, lines: ['released meanwhile, or', 'relogin failed for good'] },
    arrow(['nothing', 'CLOSED'], [92, 264], [92, 384], [300, 384]),
    { kind: 'label', x: 106, y: 354, lines: ['released before it', 'was requested'] },

    arrow(['OPEN', 'CLOSING'], [768, 264], [768, 352]),
    { kind: 'label', x: 754, y: 316, anchor: 'end', lines: ['released, expired,', 'or owner ended'] },
    arrow(['CLOSING', 'CLOSED'], [668, 384], [500, 384]),
    { kind: 'label', x: 584, y: 405, anchor: 'middle', lines: ['logout confirmed'] },
    arrow(['CLOSING', 'STUCK'], [768, 416], [768, 504]),
    {
      kind: 'label',
      x: 754,
      y: 466,
      anchor: 'end',
      lines: [`${TRIES_UNTIL_STUCK} logouts failed, or`, 'retries cannot help'],
    },
    arrow(['STUCK', 'CLOSED'], [668, 536], [400, 536], [400, 416]),
    { kind: 'label', x: 538, y: 557, anchor: 'middle', lines: ['logout confirmed'] },
  ],
};
