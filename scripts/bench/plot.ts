/** The ratios as one picture: a panel per question, a point and its interval per contender, a tick where the goal is. */
import type { Ratio } from './question.ts';
import type { Answered } from './report.ts';

const WIDTH = 860;
const LABELS = 270;
const VALUES = 70;
const ROW = 24;
const HEAD = 77;
const TITLE = 30;
const FOOT = 34;
const STYLE = `
  svg { background: #fff }
  text { font: 13px system-ui, sans-serif; fill: #222 }
  .title { font-weight: 600 }
  .small { font-size: 11px; fill: #666 }
  .grid { stroke: #e4e4e4 }
  .floor { stroke: #999 }
  .range { stroke: #2563eb; stroke-width: 3; stroke-linecap: round }
  .point { fill: #2563eb }
  .goal { stroke: #dc2626; stroke-width: 2 }
`;

/** SVG text. Questions without ratios are left out. */
export function plot(answered: readonly Answered[], caption: string): string {
  const panels: string[] = [];
  let y = HEAD;
  for (const { question, answer } of answered) {
    if (answer.ratios.length === 0) continue;
    panels.push(panel(question.title, answer.ratios, y));
    y += TITLE + answer.ratios.length * ROW + FOOT;
  }
  const head = [
    words('Multiples of the floor, in CPU time unless it says otherwise: less is better', {
      x: 16,
      y: 24,
      is: 'title',
    }),
    words('A point and a line: the median, and where it lies (95 %). Red: the goal.', { x: 16, y: 41, is: 'small' }),
    words(caption, { x: 16, y: 57, is: 'small' }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>How many times its floor each client takes</title>
<style>${STYLE}</style>
${[...head, ...panels].join('\n')}
</svg>
`;
}

function panel(title: string, ratios: readonly Ratio[], top: number): string {
  const most = Math.max(2, ...ratios.flatMap(({ measured, goal = 0 }) => [measured.high, goal]));
  const xOf = (ratio: number) => LABELS + ((WIDTH - LABELS - VALUES) * ratio) / most;
  const first = top + TITLE;
  const last = first + ratios.length * ROW;
  const ticks = Array.from({ length: Math.floor(most / step(most)) + 1 }, (_, index) => index * step(most));
  return [
    words(title, { x: 16, y: top + 16, is: 'title' }),
    ...ticks.flatMap((tick) => [
      line({ x: xOf(tick), from: first, to: last, is: 'grid' }),
      words(`${tick}`, { x: xOf(tick) - 4, y: last + 14, is: 'small' }),
    ]),
    line({ x: xOf(1), from: first, to: last, is: 'floor' }),
    ...ratios.map((ratio, index) => contender(ratio, first + (index + 0.5) * ROW, xOf)),
  ].join('\n');
}

function contender({ label, measured, goal }: Ratio, y: number, xOf: (ratio: number) => number): string {
  const { low, median, high } = measured;
  return [
    words(label, { x: 16, y: y + 4 }),
    goal === undefined ? '' : line({ x: xOf(goal), from: y - ROW / 2 + 2, to: y + ROW / 2 - 2, is: 'goal' }),
    `<line class="range" x1="${round(xOf(low))}" x2="${round(xOf(high))}" y1="${y}" y2="${y}"/>`,
    `<circle class="point" cx="${round(xOf(median))}" cy="${y}" r="5"/>`,
    words(`${median.toFixed(2)} ×`, { x: WIDTH - VALUES + 14, y: y + 4 }),
  ].join('');
}

/** At most ten ticks, at round numbers. */
const step = (most: number): number => [0.5, 1, 2, 5, 10, 20, 50].find((size) => most / size <= 10) ?? 100;

const round = (value: number): string => value.toFixed(1);

type At = { readonly x: number; readonly y: number; readonly is?: string };
const words = (content: string, { x, y, is = '' }: At): string =>
  `<text class="${is}" x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`;

type Vertical = { readonly x: number; readonly from: number; readonly to: number; readonly is: string };
const line = ({ x, from, to, is }: Vertical): string =>
  `<line class="${is}" x1="${round(x)}" x2="${round(x)}" y1="${round(from)}" y2="${round(to)}"/>`;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
