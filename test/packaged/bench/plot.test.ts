import { expect, test } from 'vitest';
import { plot } from '../../../scripts/bench/plot.ts';
import type { Ratio } from '../../../scripts/bench/question.ts';
import { markdown, text } from '../../../scripts/bench/report.ts';

const interval = (low: number, median: number, high: number) => ({ low, median, high });
const ratios: Ratio[] = [
  { label: 'floor', measured: interval(1, 1, 1) },
  { label: 'a <client> & co', measured: interval(1.5, 2, 4), goal: 1.6 },
];
const answered = (name: string, given: readonly Ratio[]) => ({
  question: { name, title: `Question ${name}` },
  answer: {
    tables: [
      {
        columns: ['client', 'ms'],
        rows: [
          ['floor', '1.0'],
          ['other client', '12.5'],
        ],
      },
    ],
    ratios: given,
    goals: [{ what: 'CPU', atMost: 1.6, measured: interval(1.5, 2, 4), unit: '×' }],
    notes: ['One sentence.'],
  },
});

const numbers = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)].map((match) => match.slice(1).map(Number));

test('a plot draws each ratio at its place on a line from zero', () => {
  const svg = plot([answered('a', ratios)], 'a machine');
  const points = numbers(svg, /class="point" cx="([\d.]+)"/g).flat();
  const ranges = numbers(svg, /class="range" x1="([\d.]+)" x2="([\d.]+)"/g);
  const [goal] = numbers(svg, /class="goal" x1="([\d.]+)"/g).flat();
  const [one = 0, two = 0] = points;
  const unit = two - one;
  expect(points).toHaveLength(2);
  expect(ranges[0]).toEqual([one, one]);
  const [low = 0, high = 0] = ranges[1] ?? [];
  expect(low).toBeCloseTo(one + unit / 2);
  expect(high).toBeCloseTo(one + 3 * unit);
  expect(goal).toBeCloseTo(one + 0.6 * unit);
  expect(svg).toContain('a &lt;client&gt; &amp; co');
});

test('a plot has no panel for a question without ratios', () => {
  expect(plot([answered('a', ratios), answered('b', [])], '')).not.toContain('Question b');
});

const report = { header: { machine: 'a machine', node: 'v24' }, answered: [answered('a', ratios)] };

test('a text has aligned columns, and says of each goal whether it is met', () => {
  const lines = text(report).split('\n');
  expect(lines).toContain('client        ms');
  expect(lines).toContain('floor         1.0');
  expect(lines).toContain('other client  12.5');
  expect(lines).toContain('goal undecided: CPU 2.00 (1.50–4.00) ×, at most 1.6 ×');
  expect(lines[0]).toBe('machine a machine');
});

test('the Markdown has the same table', () => {
  const written = markdown(report);
  expect(written).toContain('| client | ms |\n| --- | --- |\n| floor | 1.0 |\n| other client | 12.5 |\n');
  expect(written).toContain('- goal undecided: CPU 2.00 (1.50–4.00) ×');
  expect(written).toContain('Measured with: machine a machine; node v24.');
});
