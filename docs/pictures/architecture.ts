/** The components, and what they exchange during a login. */
import type { Arrow, Box, Label, Picture, Point, Shape } from './svg.ts';

const CALLERS = ['Scheduler', 'Step Functions', 'Event', 'Your program'];
/** As in serverless.yml. */
const FUNCTIONS = ['login', 'logout', 'call-array', 'renew', 'session-events', 'sweep-sessions', 'check-fleet'];
const STEPS = [
  'Read the secret',
  'Record intent, get data key',
  'Log in',
  'Seal and record the token',
  'Return the lease',
];

/** The center of a row. */
const row = (index: number): number => 100 + index * 60;
const middle = (x: number, y: number, ...lines: string[]): Label => ({ kind: 'label', x, y, lines, anchor: 'middle' });
const head = (x: number, text: string): Label => ({ ...middle(x, 44, text), style: 'head' });
const arrow = (...points: Point[]): Arrow => ({ kind: 'arrow', points });
const service = (y: number, title: string, line: string): Box => ({
  ...{ kind: 'box', x: 620, y, width: 252, height: 72, title, lines: [line] },
});
/** A step's number, with a label beside it. */
const step = (number: number, x: number, y: number, text: string): Shape[] => [
  { kind: 'badge', x, y: y - 5, number },
  { kind: 'label', x: x + 19, y, lines: [text] },
];

export const ARCHITECTURE: Picture = {
  width: 900,
  height: 532,
  title: 'How flashblade-sessions opens a session',
  description:
    "A caller invokes the login function with an array name. The function reads the array's secret from Secrets Manager, records the intent in the ledger in DynamoDB, logs in to the FlashBlade array over HTTPS with POST /api/login, seals the auth token with a data key from KMS, records the sealed token in the ledger, and returns a lease id, never a token. The logout function ends the session with POST /api/logout.",
  shapes: [
    head(104, 'Callers'),
    { kind: 'frame', x: 28, y: 60, width: 152, height: 260 },
    ...CALLERS.map((text, index): Shape => {
      return { kind: 'box', x: 40, y: row(index) - 20, width: 128, height: 40, lines: [text] };
    }),
    arrow([180, row(0)], [296, row(0)]),
    middle(236, row(0) - 12, 'array name'),
    arrow([296, row(1)], [180, row(1)]),
    { kind: 'badge', x: 238, y: row(1) - 20, number: 5 },
    middle(238, row(1) + 22, 'lease id,', 'never a token'),

    head(384, 'Functions'),
    { kind: 'frame', x: 296, y: 60, width: 176, height: 440 },
    ...FUNCTIONS.map((title, index): Shape => {
      const tone = index === 0 ? 'blue' : 'plain';
      return { kind: 'box', x: 308, y: row(index) - 20, width: 152, height: 40, title, isCode: true, tone };
    }),

    head(804, 'Array'),
    { kind: 'box', x: 736, y: 60, width: 136, height: 140, tone: 'green', title: 'FlashBlade', lines: ['REST, HTTPS'] },
    arrow([472, 90], [736, 90]),
    ...step(3, 498, 78, 'POST /api/login, API token'),
    arrow([736, 110], [472, 110]),
    middle(604, 130, 'auth token'),
    arrow([472, row(1)], [736, row(1)]),
    middle(604, 181, 'POST /api/logout, auth token'),

    service(232, 'Secrets Manager', 'host, API token, trust per array'),
    arrow([620, 268], [472, 268]),
    ...step(1, 498, 256, 'API token'),
    service(330, 'Ledger (DynamoDB)', 'every session until it ends'),
    arrow([472, 354], [620, 354]),
    ...step(2, 498, 342, 'intent'),
    arrow([472, 378], [620, 378]),
    ...step(4, 498, 401, 'sealed token'),
    service(428, 'KMS', 'data keys that seal tokens'),
    arrow([620, 464], [472, 464]),
    ...step(2, 498, 452, 'data key'),

    { kind: 'label', x: 28, y: 358, lines: ['A login, step by step'], style: 'head' },
    ...STEPS.flatMap((text, index) => step(index + 1, 39, 388 + index * 27, text)),
  ],
};
