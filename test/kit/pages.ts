/** Reads tables and examples from the documentation, for tests that compare them with the code. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lexer, type Tokens } from 'marked';
import { ROOT } from '../../scripts/build.ts';

export const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** The cells in the table whose first heading is `heading`, row by row. `nth` selects one of several such tables, starting at 0. */
export function tableRows(heading: string, text: string, nth = 0): string[][] {
  const tables = lexer(text).filter((token): token is Tokens.Table => token.type === 'table');
  const table = tables.filter(({ header }) => header[0]?.text === heading)[nth];
  if (table === undefined) throw new Error(`no table begins with ${heading}`);
  return table.rows.map((cells) => cells.map((cell) => cell.text));
}

/** The text of a page in docs/. */
export const page = (name: string): string => readFileSync(resolve(ROOT, 'docs', name), 'utf8');

/** The fenced blocks with this info string. */
export function examples(info: string, text: string): string[] {
  const blocks = [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].filter(([, found]) => found === info);
  if (blocks.length === 0) throw new Error(`no example is marked ${info}`);
  return blocks.map(([, , block]) => block as string);
}

/** How an example that names a real array runs against a simulated one. */
export const atSimulator = (
  example: string,
  { host, port, certificate }: { readonly host: string; readonly port: number; readonly certificate: string },
): string =>
  example
    .replace(/host: 'fb1\.example\.com'(?:,\s*port: 443)?/g, `host: '${host}', port: ${port}`)
    .replaceAll("{ kind: 'public' }", `{ kind: 'ca', ca: ${JSON.stringify(certificate)} }`);
