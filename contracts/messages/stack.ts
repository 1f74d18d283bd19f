/** The stack's messages, which come from infra/ and the documentation, and the fields that the documentation lists. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { page, tableRows } from '../../test/kit/pages.ts';
import type { MessageProvider } from './verify.ts';

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, '../..', name), 'utf8');

/** Returns the detail types that the stack's rule forwards to the request queue. */
export function requestTypes(): string[] {
  const [, types] = /^ {2}RequestRule:\n(?: {4}.*\n)*? +detail-type: \[(.*)\]$/m.exec(read('infra/events.yml')) ?? [];
  if (types === undefined) throw new Error('RequestRule in infra/events.yml has no `detail-type: [...]` line');
  return types.split(', ');
}

/** Returns each schedule's constant input, keyed by function name. */
export function scheduledInputs(): Readonly<Record<string, unknown>> {
  const targets = read('infra/schedules.yml').matchAll(
    /\bArn: \{ 'Fn::GetAtt': \[(\w+)LambdaFunction, Arn\] \}\n +RoleArn: .*\n +Input: '(.*)'/g,
  );
  return Object.fromEntries(
    [...targets].map(([, name = '', input = '']) => [name.replaceAll('Dash', '-').toLowerCase(), JSON.parse(input)]),
  );
}

/** Produces the examples in contracts/README.md, but only those that the rule forwards. */
export const documentedRequests = (readme = read('contracts/README.md'), types = requestTypes()): MessageProvider => ({
  produce: async (description) => {
    const [, example] = new RegExp(`^\`\`\`json ${description}\\n(.*)\\n\`\`\`$`, 'm').exec(readme) ?? [];
    if (example === undefined) throw new Error(`contracts/README.md has no example with the title "${description}"`);
    const event = JSON.parse(example) as { 'detail-type'?: unknown };
    if (!types.includes(String(event['detail-type'])))
      throw new Error('the rule in infra/events.yml does not forward events with this detail-type');
    return { id: 'event-7', source: 'com.example.jobs', ...event };
  },
  tokens: () => [],
});

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
