/** Reads field names from the tables in docs/functions-and-events.md. */
import { page, tableRows } from '../../test/kit/pages.ts';

const PAGE = page('functions-and-events.md');

/** Returns the fields in one row of the table whose first heading is `heading`. A cell like "as `login`" refers to the `login` row. */
function fields(heading: string, row: string, column: 1 | 2): string[] {
  const cell = tableRows(heading, PAGE).find(([first]) => first === `\`${row}\``)?.[column];
  if (cell === undefined) throw new Error(`the ${heading} table in docs/functions-and-events.md has no row ${row}`);
  const [, other] = /^as `([\w-]+)`$/.exec(cell) ?? [];
  if (other !== undefined) return fields(heading, other, column);
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
}

export const inputFields = (name: string): string[] => fields('function', name, 1);
export const resultFields = (name: string): string[] => fields('function', name, 2);
export const detailFields = (type: string): string[] => fields('`detail-type`', type, 2);
