import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { shortErrors } from '../../../scripts/build/short-errors.ts';
import { ROOT } from '../../../scripts/build.ts';

const CLIENTS = ['dynamodb', 'eventbridge', 'kms', 'secrets-manager', 'sqs'] as const;

type ErrorClass = { new (options: object): Error; readonly shapeId: string };
type Classes = Readonly<Record<string, ErrorClass>>;

const directoryOf = (client: string): string => `${ROOT}/node_modules/@aws-sdk/client-${client}/dist-es/models/`;
const sourceOf = (client: string): Promise<string> => readFile(`${directoryOf(client)}errors.js`, 'utf8');

/** Imports this source. Its only import is the class that all others extend. */
const imported = (client: string, source: string): Promise<Classes> => {
  const absolute = source.replace(/from "\.\/(\w+)"/, (_, file: string) => {
    return `from "${pathToFileURL(`${directoryOf(client)}${file}.js`)}"`;
  });
  return import(`data:text/javascript,${encodeURIComponent(absolute)}`);
};

/** Everything observable about an error that is thrown as the SDK throws it. */
const seen = (one: ErrorClass) => {
  const error = new one({
    message: 'text',
    $metadata: { requestId: 'id' },
    $response: {},
    Item: { a: 1 },
    Message: 'M',
  });
  const parent = Object.getPrototypeOf(one) as ErrorClass;
  const own = Object.fromEntries(
    Object.entries(Object.getOwnPropertyDescriptors(error)).filter(([key]) => key !== 'stack'),
  );
  return {
    own,
    text: String(error),
    isOne: error instanceof one,
    name: one.name,
    parent: parent.name,
    shapeId: one.shapeId,
  };
};

describe.each(CLIENTS)('the shortened error classes of %s', (client) => {
  test('behave like those of the SDK', async () => {
    const source = await sourceOf(client);
    const [theirs, ours] = [await imported(client, source), await imported(client, shortErrors(source))];
    expect(Object.keys(ours).length).toBeGreaterThan(10);
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    for (const [name, one] of Object.entries(theirs)) expect(seen(ours[name] as ErrorClass)).toEqual(seen(one));
  });

  test('take less than half of the source text', async () => {
    const source = await sourceOf(client);
    expect(shortErrors(source).length).toBeLessThan(source.length / 2);
  });
});

test.each([
  ['an unexpected member', (text: string) => text.replace('this.Item = opts.Item', 'this.Item = [opts.Item]')],
  ['a method', (text: string) => text.replace('    constructor(', '    more() {}\n    constructor(')],
  ['an unexpected name', (text: string) => text.replace('    name = "', '    name = "Another')],
  ['an extra export', (text: string) => `${text}export const more = 1;\n`],
])('a source with %s is left unchanged', async (_, change) => {
  const changed = change(await sourceOf('dynamodb'));
  expect(changed).not.toBe(await sourceOf('dynamodb'));
  expect(shortErrors(changed)).toBe(changed);
});
