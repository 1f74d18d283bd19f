/** Provides the stack's messages, which come from infra/ and the documentation. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
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
