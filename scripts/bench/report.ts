/** Answers as text for a screen, and as Markdown. */
import { columns } from '../columns.ts';
import { verdict } from './measure.ts';
import { between } from './numbers.ts';
import type { Answer, Goal, Question, Table } from './question.ts';

export type Answered = { readonly question: Pick<Question, 'name' | 'title'>; readonly answer: Answer };
export type Report = {
  readonly header: Readonly<Record<string, string>>;
  readonly answered: readonly Answered[];
};

/** What the numbers in brackets are. */
const LEGEND = 'Medians of interleaved rounds, and in brackets between which values they lie (95 %).';

export function text({ header, answered }: Report): string {
  const lines = Object.entries(header).map(([name, value]) => `${name.padEnd(8)}${value}`);
  return [lines.join('\n'), LEGEND, ...answered.map(answerText)].join('\n\n');
}

function answerText({ question, answer }: Answered): string {
  const { tables, goals, notes } = answer;
  const parts = [
    `${question.name}: ${question.title}`,
    ...tables.map(textTable),
    goals.map(goalText).join('\n'),
    notes.map((note) => `- ${note}`).join('\n'),
  ];
  return parts.filter(Boolean).join('\n\n');
}

export function markdown({ header, answered }: Report): string {
  const parts = answered.flatMap(({ question, answer: { tables, goals, notes } }) => [
    `## ${question.title}`,
    ...tables.map(markdownTable),
    goals.map((goal) => `- ${goalText(goal)}`).join('\n'),
    notes.join(' '),
  ]);
  const measured = Object.entries(header).map(([name, value]) => `${name} ${value}`);
  return `${['# Measured', LEGEND, ...parts, `Measured with: ${measured.join('; ')}.`].filter(Boolean).join('\n\n')}\n`;
}

const goalText = ({ what, atMost, measured, unit }: Goal): string =>
  `goal ${verdict(measured, atMost)}: ${what} ${between(measured)} ${unit}, at most ${atMost} ${unit}`;

const textTable = ({ columns: names, rows }: Table): string => columns([names, ...rows]);

const markdownTable = ({ columns, rows }: Table): string =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
