import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { shortErrors } from '../../scripts/build/short-errors.ts';
import { ROOT } from '../../scripts/build.ts';

const CLIENTS = ['dynamodb', 'eventbridge', 'kms', 'secrets-manager', 'sqs'] as const;

type ErrorClass = { new (options: object): Error; readonly shapeId: string };
type Classes = Readonly<Record<string, ErrorClass>>;

const directoryOf = (client: string): string => `${ROOT}/node_modules/@aws-sdk/client-${client}/dist-es/models/`;
const sourceOf = (client: string): Promise<string> => readFile(`${directoryOf(client)}errors.js`, 'utf8');

/** What an import of this text gives. Its one import is the class that all others extend. */
const imported = (client: string, source: string): Promise<Classes> => {
  const absolute = source.replace(/from "\.\/(\w+)"/, (_, file: string) => {
    return `from "${pathToFileURL(`${directoryOf(client)}${file}.js`)}"`;
  });
  return import(`data:text/javascript,${encodeURIComponent(absolute)}`);
};

/** All that somebody could ask of an error, thrown as the SDK throws it. */
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

describe.each(CLIENTS)('the errors of %s', (client) => {
  test('are the same as those of the SDK', async () => {
    const source = await sourceOf(client);
    const [theirs, ours] = [await imported(client, source), await imported(client, shortErrors(source))];
    expect(Object.keys(ours).length).toBeGreaterThan(10);
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    for (const [name, one] of Object.entries(theirs)) expect(seen(ours[name] as ErrorClass)).toEqual(seen(one));
  });

  test('take less than half of the text', async () => {
    const source = await sourceOf(client);
    expect(shortErrors(source).length).toBeLessThan(source.length / 2);
  });
});

test.each([
  ['a member of another kind', (text: string) => text.replace('this.Item = opts.Item', 'this.Item = [opts.Item]')],
  ['a method', (text: string) => text.replace('    constructor(', '    told() {}\n    constructor(')],
  ['a name that is not its own', (text: string) => text.replace('    name = "', '    name = "Another')],
  ['something behind it', (text: string) => `${text}export const more = 1;\n`],
])('text with %s is left as it is', async (_, change) => {
  const changed = change(await sourceOf('dynamodb'));
  expect(changed).not.toBe(await sourceOf('dynamodb'));
  expect(shortErrors(changed)).toBe(changed);
});
