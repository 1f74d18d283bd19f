/** Formats the results as a Markdown report, with columns aligned for a terminal. */
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import undici from 'undici/package.json' with { type: 'json' };
import { VERSION } from '../lib/flashblade/http/request.ts';
import type { Interval } from './compare.ts';

export type Question = {
  /** The value of `--question`. */
  readonly name: string;
  readonly title: string;
  /** Runs only a few rounds if `quick` is true. */
  readonly ask: (quick: boolean) => Promise<Answer>;
};

export type Answer = {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** Notes that explain the numbers, one per line. */
  readonly notes: readonly string[];
};

/** The first column names the subject of each row. */
export type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] };
export type Cell = string | number | Interval;
export type Goal = { readonly what: string; readonly measured: Interval; readonly atMost: number };

export type Report = {
  readonly machine: Readonly<Record<string, string>>;
  readonly answers: readonly (Pick<Question, 'name' | 'title'> & Answer)[];
};

const GIB = 1024 ** 3;

/** `load` is the one-minute load average, which should be low. */
export const machine = (): Report['machine'] => ({
  machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / GIB)} GiB`,
  system: `${type()} ${release()}`,
  node: `${process.version}, OpenSSL ${process.versions.openssl}`,
  undici: `${undici.version}, inside Node.js ${process.versions['undici']}`,
  library: VERSION,
  load: loadavg()[0]?.toFixed(2) ?? '',
});

export function markdown({ machine, answers }: Report): string {
  const about = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  const parts = answers.flatMap(({ title, tables, goals, notes }) => [
    `## ${title}`,
    ...tables.map(tableText),
    goals.map(goalText).join('\n'),
    notes.join('\n'),
  ]);
  const legend = 'Medians across interleaved rounds, with 95% confidence intervals in parentheses.';
  return ['# Measured by `npm run bench`', about.join('\n'), legend, ...parts].filter(Boolean).join('\n\n');
}

function tableText({ columns, rows }: Table): string {
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  // The last column is not padded, because it may be long.
  const padded = (line: readonly string[]) =>
    line.map((cell, n) => cell.padEnd(n + 1 < line.length ? (widths[n] ?? 0) : 0));
  return lines.map((line) => `| ${padded(line).join(' | ')} |`).join('\n');
}

const goalText = ({ what, measured, atMost }: Goal): string =>
  `- goal ${verdict(measured, atMost)}: ${what} ${cellText(measured)}, at most ${atMost}`;

/** Returns `undecided` if the interval contains the goal. */
export function verdict({ low, high }: Interval, atMost: number): 'met' | 'missed' | 'undecided' {
  if (high <= atMost) return 'met';
  return low > atMost ? 'missed' : 'undecided';
}

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return numberText(cell);
  const { low, median, high } = cell;
  return low === high ? numberText(median) : `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** Formats a number with at least three significant digits. Integers are unchanged. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return `${value}`;
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
