/** Prints steps, with times and call counts in columns. Uses color only if the stream supports it. */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** Calls made so far. */
export type Counts = { readonly aws: number; readonly array: number };
export type Say = (text: string) => void;
/** Runs a step and prints it. */
export type Step = <T>(title: string, work: (say: Say) => Promise<T>) => Promise<T>;
export type Screen = ReturnType<typeof createScreen>;

const TITLE_WIDTH = 56;
const COLUMN_WIDTHS = [9, 6, 8];
const DETAIL_INDENT = '   ';

/** `now` returns milliseconds since an arbitrary fixed point in time. */
export function createScreen(stream: Writable, now: () => number) {
  // Ignore output errors, because the session must be closed even if the output is cut off (`npm start | head`).
  stream.on('error', () => undefined);
  let inTitle = false;

  const style = (format: Parameters<typeof styleText>[0], text: string): string => styleText(format, text, { stream });
  const write = (text: string): void => void stream.write(text);

  function line(text: string, format?: Parameters<typeof styleText>[0]): void {
    if (inTitle) write('\n');
    inTitle = false;
    write(`${format ? style(format, clean(text)) : clean(text)}\n`);
  }

  function begin(title: string): void {
    write(style('bold', title.padEnd(TITLE_WIDTH)));
    inTitle = true;
  }

  /** Completes the title line. If another line was printed in between, repeats the title. */
  function end(title: string, outcome: string): void {
    if (!inTitle) begin(title);
    inTitle = false;
    write(`${outcome}\n`);
  }

  /** Runs a step. Prints the title at the start, and the duration, calls and details at the end. */
  async function step<T>(title: string, work: (say: Say) => Promise<T>, count?: () => Promise<Counts>): Promise<T> {
    const details: string[] = [];
    const before = await count?.();
    const startedAt = now();
    begin(title);
    try {
      const result = await work((text) => details.push(...text.split('\n')));
      const ms = now() - startedAt;
      const after = await count?.();
      end(title, columns([Math.round(ms), ...(before && after ? difference(before, after) : [])]));
      return result;
    } catch (error) {
      end(title, style('red', 'failed'.padStart(COLUMN_WIDTHS[0] ?? 0)));
      throw error;
    } finally {
      for (const detail of details) line(DETAIL_INDENT + detail);
    }
  }

  /** Prints a row of column names or totals. */
  const row = (title: string, cells: readonly (string | number)[]): void =>
    line(title.padEnd(TITLE_WIDTH) + columns(cells), 'dim');

  return { line, step, row };
}

const columns = (cells: readonly (string | number)[]): string =>
  cells.map((cell, column) => String(cell).padStart(COLUMN_WIDTHS[column] ?? 0)).join('');

const difference = (before: Counts, after: Counts): number[] => [after.aws - before.aws, after.array - before.array];

// An array's response can contain control characters, which the terminal would interpret.
const clean = (text: string): string => text.replaceAll(/\p{C}/gu, ' ');
