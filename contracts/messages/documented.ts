/** The names of fields in the tables of docs/functions-and-events.md. */
import { page, tableRows } from '../../test/kit/pages.ts';

const PAGE = page('functions-and-events.md');

/** The fields in a row of the table whose first heading is `heading`. The cell `as login` refers to the row of login. */
function fields(heading: string, row: string, column: 1 | 2): string[] {
  const cell = tableRows(heading, PAGE).find(([first]) => first === `\`${row}\``)?.[column];
  if (cell === undefined) throw new Error(`docs/functions-and-events.md has no row ${row} in its table of ${heading}`);
  const [, other] = /^as `([\w-]+)`$/.exec(cell) ?? [];
  if (other !== undefined) return fields(heading, other, column);
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
}

export const inputFields = (name: string): string[] => fields('function', name, 1);
export const resultFields = (name: string): string[] => fields('function', name, 2);
export const detailFields = (type: string): string[] => fields('`detail-type`', type, 2);
