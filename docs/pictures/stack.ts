/** What one deployment creates from serverless.yml and infra/. */
import { createRequire } from 'node:module';
import type { Arrow, Box, Label, Picture, Point } from './svg.ts';

const ALARMS = Object.keys(createRequire(import.meta.url)('../../infra/alarms.cjs').Resources).length;

/** Columns of the stack: left edge and width. */
const LEFT = [216, 188] as const;
const MIDDLE = [440, 196] as const;
const RIGHT = [672, 180] as const;

const box = ([x, width]: Point, y: number, title: string, ...lines: string[]): Box => ({
  ...{ kind: 'box', x, y, width, height: 56, title, lines },
});
const lambda = (column: Point, y: number, title: string): Box => ({
  ...{ ...box(column, y, title), tone: 'blue', isCode: true },
});
const outside = (column: Point, y: number, title: string, line: string): Box => ({
  ...{ ...box(column, y, title, line), isDashed: true },
});
/** One of five equal columns: left edge and width. */
const fifth = (index: number): Point => [216 + index * 130, 116];
const head = (x: number, y: number, text: string): Label => ({ kind: 'label', x, y, lines: [text], style: 'head' });
const arrow = (...points: Point[]): Arrow => ({ kind: 'arrow', points });

export const STACK: Picture = {
  width: 900,
  height: 868,
  title: 'What one deployment creates',
  description:
    'One stack has seven functions. An event bus with a rule, and a rule on the default bus, send events to the request queue, which invokes session-events; events that failed five times go to the dead-letter queue, and permanent failures to the queue for failed events. A schedule invokes sweep-sessions, and another one starts a state machine, which invokes check-fleet. Callers invoke login, logout, call-array and renew. Failed invocations go to a separate queue. The functions share two KMS keys and the lease table, which has the indexes due and owner. Alarms notify a topic. A dashboard, roles and log groups complete the stack. Callers, secrets and arrays are outside the stack.',
  shapes: [
    head(28, 44, 'Outside'),
    head(196, 44, 'One stack: flashblade-sessions-<stage>'),
    { kind: 'frame', x: 196, y: 60, width: 676, height: 680 },

    outside([28, 150], 80, 'Your jobs', 'put events'),
    arrow([178, 108], [216, 108]),
    box(LEFT, 80, 'Event bus', 'with a request rule'),
    arrow([404, 100], [440, 100]),
    box(MIDDLE, 80, 'Request queue', 'batches of ten'),
    arrow([636, 108], [672, 108]),
    lambda(RIGHT, 80, 'session-events'),

    outside([28, 150], 156, 'Step Functions', 'executions end'),
    arrow([178, 184], [216, 184]),
    box(LEFT, 156, 'Execution rule', 'on the default bus'),
    arrow([404, 184], [422, 184], [422, 118], [440, 118]),
    arrow([538, 136], [538, 156]),
    box(MIDDLE, 156, 'Failure queues', 'events that failed'),
    arrow([762, 136], [762, 184], [636, 184]),

    {
      ...box(LEFT, 240, 'Failed invocations', 'a queue for calls that', 'failed after all retries'),
      height: 132,
    },
    box(MIDDLE, 240, 'Sweep schedule', 'every minute'),
    arrow([636, 268], [672, 268]),
    arrow([440, 268], [404, 268]),
    lambda(RIGHT, 240, 'sweep-sessions'),
    box(MIDDLE, 316, 'State machine', 'every 15 min by default'),
    arrow([636, 344], [672, 344]),
    arrow([440, 344], [404, 344]),
    lambda(RIGHT, 316, 'check-fleet'),

    outside([28, 150], 438, 'Callers', 'invoke directly'),
    arrow([178, 466], [440, 466]),
    { kind: 'frame', x: 440, y: 392, width: 412, height: 116 },
    ...['login', 'logout', 'call-array', 'renew'].map((name, index) => ({
      ...{ ...lambda([452 + (index % 2) * 198, 190], 404 + Math.floor(index / 2) * 52, name), height: 40 },
    })),
    arrow([440, 420], [310, 420], [310, 372]),

    head(216, 544, 'Shared by the functions'),
    box(LEFT, 556, 'Lease table', 'indexes: due, owner'),
    box(MIDDLE, 556, 'Lease key', 'seals auth tokens'),
    box(RIGHT, 556, 'Secrets key', 'encrypts secrets'),

    head(216, 652, 'Operations'),
    outside([28, 150], 664, 'On call', 'email, pager'),
    arrow([216, 692], [178, 692]),
    box(fifth(0), 664, 'Topic', 'SNS'),
    arrow([346, 692], [332, 692]),
    box(fifth(1), 664, `${ALARMS} alarms`, 'CloudWatch'),
    box(fifth(2), 664, 'Dashboard', 'CloudWatch'),
    box(fifth(3), 664, 'Roles', 'per function'),
    box(fifth(4), 664, 'Log groups', 'per function'),

    arrow([370, 740], [370, 784]),
    outside([216, 308], 784, 'Secrets', 'one per array: host, API token, trust'),
    arrow([698, 740], [698, 784]),
    outside([544, 308], 784, 'FlashBlade arrays', 'login and logout over HTTPS'),
  ],
};
