/** The pictures of the documentation show what the code is, and can be read. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { PICTURES } from '../../../docs/pictures/draw.ts';
import { STATES } from '../../../docs/pictures/lease.ts';
import { COLORS, linesOf, type Picture, type Point, type Shape, STYLES, svgOf } from '../../../docs/pictures/svg.ts';
import type { LeaseItem } from '../../../lib/leases/items.ts';
import {
  claim,
  close,
  giveUp,
  intend,
  postpone,
  record,
  release,
  reopen,
  suspect,
  TRIES_UNTIL_STUCK,
} from '../../../lib/leases/states.ts';
import { ROOT } from '../../../scripts/build.ts';
import { contrast, contrastFaults, faultsOf } from './picture-checks.ts';

const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');
const pictureOf = (name: string): Picture => {
  const picture = PICTURES[name];
  if (picture === undefined) throw new Error(`there is no picture ${name}`);
  return picture;
};
const withShapes = (...shapes: Shape[]): Picture => ({
  ...{ width: 400, height: 200, title: 'title', description: 'description', shapes },
});
const texts = ({ shapes }: Picture): string[] => shapes.flatMap(linesOf).map(({ text }) => text);

describe.each(Object.entries(PICTURES))('the picture %s', (name, picture) => {
  const committed = read(`docs/pictures/${name}.svg`);

  it('is what the script draws: run `node docs/pictures/draw.ts`', () => {
    expect(committed).toBe(svgOf(picture));
    const other = { ...picture, shapes: [...picture.shapes, { kind: 'ring', x: 1, y: 1 } as const] };
    expect(committed).not.toBe(svgOf(other));
  });

  it('is small, loads and runs nothing, and has a title and a description', () => {
    expect(committed.length).toBeLessThan(20_000);
    expect(committed.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(ACTIVE);
    expect(committed).toMatch(/<title id="title">.{10,}<\/title>\n<desc id="desc">.{50,}<\/desc>/);
    expect(committed).toContain('@media (prefers-color-scheme:dark)');
  });

  it('has text that fits, and nothing that covers or crosses a text', () => {
    expect(faultsOf(picture)).toEqual([]);
  });

  it('has enough contrast in light and dark mode', () => {
    expect(contrastFaults(picture)).toEqual([]);
  });
});

const ACTIVE = /<script|<foreignObject|<image|<use|href|url\(|@import|https?:|\son\w+=/i;

test('scripts and external resources are found', () => {
  for (const text of ['<script>', '<image href="a.png"/>', 'url(#a)', '@import "a"', 'http://a', '<g onload="a">']) {
    expect(text).toMatch(ACTIVE);
  }
});

test('no text is smaller than 13 pixels, at a width of 900', () => {
  for (const { size } of Object.values(STYLES)) expect(size).toBeGreaterThanOrEqual(13);
  for (const { width } of Object.values(PICTURES)) expect(width).toBe(900);
});

test('names with characters of XML are escaped', () => {
  const svg = svgOf(withShapes({ kind: 'label', x: 50, y: 50, lines: ['<stage> & more'] }));
  expect(svg).toContain('>&lt;stage> &amp; more</text>');
});

describe('the checks', () => {
  const box = { kind: 'box', x: 100, y: 60, width: 100, height: 60, title: 'title', lines: ['a line'] } as const;

  const arrow = (...points: Point[]): Shape => ({ kind: 'arrow', points });
  const text = { kind: 'label', x: 40, y: 40, lines: ['a text'] } as const;

  it('accept a picture without faults', () => {
    expect(faultsOf(withShapes(box, text, arrow([200, 90], [300, 90])))).toEqual([]);
  });

  it.each<{ what: string; fault: string; shapes: Shape[] }>([
    {
      what: 'a title wider than its box',
      fault: '"a title that is too long" does not fit',
      shapes: [{ ...box, title: 'a title that is too long' }],
    },
    {
      what: 'more lines than a box holds',
      fault: '"3" does not fit',
      shapes: [{ ...box, lines: ['1', '2', '3'] }],
    },
    { what: 'a text at the edge', fault: '"a text" does not fit', shapes: [{ ...text, x: 370 }] },
    { what: 'a box at the edge', fault: 'the box title is outside', shapes: [{ ...box, x: 310 }] },
    {
      what: 'a text on a text',
      fault: '"a text" covers "another"',
      shapes: [text, { ...text, x: 60, y: 45, lines: ['another'] }],
    },
    {
      what: 'a text on a box',
      fault: '"a text" is covered by the box title',
      shapes: [box, { ...text, x: 70, y: 90 }],
    },
    {
      what: 'a box on a box',
      fault: 'the box title covers the box other',
      shapes: [box, { ...box, x: 190, title: 'other' }],
    },
    {
      what: 'an arrow through a box',
      fault: 'an arrow goes through the box title',
      shapes: [box, arrow([80, 70], [260, 70])],
    },
    { what: 'an arrow through a text', fault: 'a line crosses "a text"', shapes: [text, arrow([60, 10], [60, 80])] },
    {
      what: 'a guide through a text',
      fault: 'a line crosses "a text"',
      shapes: [text, { kind: 'guide', from: [60, 10], to: [60, 80] }],
    },
    {
      what: 'a badge on a text',
      fault: 'badge 1 covers "a text"',
      shapes: [text, { kind: 'badge', x: 50, y: 38, number: 1 }],
    },
    {
      what: 'a slanted arrow',
      fault: 'an arrow is neither horizontal nor vertical',
      shapes: [arrow([20, 20], [80, 80])],
    },
  ])('find $what', ({ fault, shapes }) => {
    expect(faultsOf(withShapes(...shapes))).toContain(fault);
  });

  it('find colors that are too similar', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    const pale = { ...COLORS, light: { ...COLORS.light, muted: '#9aa4ae' } };
    expect(contrastFaults(withShapes(box), pale)).toEqual([expect.stringMatching(/^light: "a line" has a contrast/)]);
    const faint = { ...COLORS, dark: { ...COLORS.dark, arrow: '#30363d' } };
    expect(contrastFaults(withShapes(box), faint)).toEqual([expect.stringMatching(/^dark: arrow has a contrast/)]);
  });
});

describe('the picture lease', () => {
  const boxes = pictureOf('lease').shapes.filter((shape) => shape.kind === 'box');

  /** The states that the ledger's types name. */
  const statesIn = (source: string): string[] =>
    [...source.matchAll(/readonly state: ([^;]+);/g)].flatMap(([, union = '']) => union.match(/[A-Z]+/g) ?? []);

  it('has exactly the states of the code, and SUSPECT', () => {
    const states = [...statesIn(read('lib/leases/items.ts')), 'SUSPECT'].sort();
    expect(Object.keys(STATES).sort()).toEqual(states);
    expect(
      boxes
        .map(({ title = '' }) => title)
        .filter((title) => title !== 'no lease')
        .sort(),
    ).toEqual(states);
    expect(statesIn("readonly state: 'ONE' | 'TWO';\n  readonly state: 'THREE';")).toEqual(['ONE', 'TWO', 'THREE']);
  });

  it('has exactly the transitions of the code, and the end of a SUSPECT', () => {
    const shown = pictureOf('lease').shapes.flatMap((shape) => {
      return shape.kind === 'arrow' && shape.shows ? [shape.shows.join(' → ')] : [];
    });
    expect(shown.sort()).toEqual([...transitions(), 'SUSPECT → nothing'].sort());
  });

  it('has arrows that begin and end at the states that they connect', () => {
    const arrows = pictureOf('lease').shapes.filter((shape) => shape.kind === 'arrow');
    const at = (state: string) => boxes.find(({ title }) => title === (state === 'nothing' ? 'no lease' : state));
    const touches = (state: string, [x, y]: readonly [number, number]): boolean => {
      const box = at(state);
      if (box === undefined) return false;
      const isOnSide = (x === box.x || x === box.x + box.width) && y > box.y && y < box.y + box.height;
      const isOnEnd = (y === box.y || y === box.y + box.height) && x > box.x && x < box.x + box.width;
      return isOnSide || isOnEnd;
    };
    for (const { shows: [from, to] = ['', ''], points } of arrows) {
      expect(touches(from, points[0] as [number, number]), `${from} → ${to}`).toBe(true);
      // A SUSPECT that is dropped ends in a ring of its own.
      if (from !== 'SUSPECT') expect(touches(to, points.at(-1) as [number, number]), `${from} → ${to}`).toBe(true);
    }
    expect(touches('OPEN', [0, 0])).toBe(false);
  });
});

/** Every change of state that the functions of states.ts make. */
function transitions(): string[] {
  const now = 1_000_000;
  const target = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } } as const;
  const intent = { leaseId: 'lease', attemptId: 'attempt', target, leaseSeconds: 900, openingUntil: now + 30 };
  const begun = intend(undefined, intent, now);
  if (!('write' in begun)) throw new Error('the intent was not written');
  const opening = begun.write;
  const open = record(opening, { username: 'pureuser', sealed: 'sealed' });
  const reopened = reopen(open, { attemptId: 'relogin', openingUntil: now + 30 }, now);
  const closing = claim(open, now);
  const stuck = postpone({ ...closing, tries: TRIES_UNTIL_STUCK - 1 }, now, 0.5, false);
  const asOf = (item: LeaseItem | 'remove'): string => (item === 'remove' ? 'nothing' : item.state);
  const released = (item: LeaseItem | undefined, at = now): string => {
    const step = release(item, 'lease', at);
    return 'write' in step ? asOf(step.write) : step.state;
  };
  const changes = [
    ['nothing', opening.state],
    ['nothing', released(undefined)],
    ...[opening, reopened, { ...opening, endRequested: true as const }].flatMap((item) => [
      ['OPENING', record(item, { username: 'pureuser', sealed: 'sealed' }).state],
      ['OPENING', asOf(giveUp(item, now, true))],
      ['OPENING', asOf(giveUp(item, now, false))],
      ['OPENING', released(item)],
      ['OPENING', released(item, now + 31)],
      ['OPENING', suspect(item, 1800).kind.toUpperCase()],
    ]),
    ['OPEN', reopened.state],
    ['OPEN', released(open)],
    ...[closing, stuck].flatMap((item) => [
      [item.state, released(item)],
      [item.state, close(item, now).state],
      [item.state, postpone(item, now, 0.5, false).state],
      [item.state, postpone(item, now, 0.5, true).state],
    ]),
  ];
  return [...new Set(changes.filter(([from, to]) => from !== to).map((change) => change.join(' → ')))];
}

describe('the pictures of functions', () => {
  /** The names below `functions:`. */
  const functionsIn = (yaml: string): string[] => {
    const [, section = ''] = /^functions:\n([\s\S]*?)^\S/m.exec(yaml) ?? [];
    return [...section.matchAll(/^ {2}([\w-]+):$/gm)].map(([, name = '']) => name);
  };
  const shownIn = (picture: Picture): string[] =>
    picture.shapes.flatMap((shape) => (shape.kind === 'box' && shape.isCode && shape.title ? [shape.title] : []));

  it.each(['architecture', 'stack'])('%s has exactly the functions of serverless.yml', (name) => {
    const deployed = functionsIn(read('serverless.yml'));
    expect(deployed).toHaveLength(7);
    expect(shownIn(pictureOf(name)).sort()).toEqual(deployed.sort());
  });

  it('finds a function that is missing', () => {
    expect(functionsIn('functions:\n  one:\n    handler: a\n  two-more:\n    handler: b\nresources:\n')).toEqual([
      'one',
      'two-more',
    ]);
    expect(shownIn({ ...pictureOf('stack'), shapes: [] })).toEqual([]);
  });
});

test('the picture stack names the indexes, the schedules, the keys and the queues of infra', () => {
  const shown = texts(pictureOf('stack'));
  const indexes = [...read('infra/table.yml').matchAll(/IndexName: (\w+)/g)].map(([, name]) => name);
  expect(shown).toContain(`indexes: ${indexes.join(', ')}`);
  expect(read('infra/schedules.yml').match(/ScheduleExpression: .+/g)).toEqual([
    'ScheduleExpression: rate(1 minute)',
    `ScheduleExpression: \${param:checkRate}`,
  ]);
  expect(read('serverless.yml')).toContain('checkRate: rate(15 minutes)');
  expect(shown).toEqual(expect.arrayContaining(['every minute', 'every 15 min by default']));
  const resources = (file: string, type: string): string[] =>
    [...read(`infra/${file}`).matchAll(new RegExp(`^  (\\w+):\\n    Type: ${type}\\n`, 'gm'))].map(([, id = '']) => id);
  expect(resources('keys.yml', 'AWS::KMS::Key')).toEqual(['SecretsKey', 'LeaseKey']);
  expect(resources('events.yml', 'AWS::SQS::Queue')).toEqual([
    'RequestQueue',
    'DeadLetterQueue',
    'FailedEventQueue',
    'FailedInvocationQueue',
  ]);
  expect(resources('events.yml', 'AWS::Events::Rule')).toEqual(['RequestRule', 'ExecutionRule']);
});
