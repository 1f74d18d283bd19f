import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Command, readCommand } from '../../../scripts/start/arguments.ts';
import { API_TOKEN, endStarted, PACKAGED, run } from './run.ts';

afterAll(endStarted);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flashblade-arguments-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function secretFile(content: string | object): string {
  const file = join(directory, 'secret.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** The command of arguments that do not ask for help. */
function commandOf(...args: string[]): Command {
  const command = readCommand(args);
  if (command === 'help') throw new Error('the arguments ask for help');
  return command;
}

test('without arguments, the array is simulated and has the name fb1', () => {
  expect(readCommand([])).toEqual({ name: 'fb1' });
});

test('--host overrides the host in the secret file', () => {
  const file = secretFile({ host: 'fb1.example.com', apiToken: API_TOKEN });
  const { name, secret } = commandOf('--secret-file', file, '--host', 'fb2.example.com:8443', '--array', 'lab');
  expect({ name, secret: JSON.parse(secret ?? '') }).toEqual({
    name: 'lab',
    secret: { host: 'fb2.example.com:8443', apiToken: API_TOKEN },
  });
});

test('the host can come from the secret file', () => {
  const secret = { host: 'fb1.example.com', apiToken: API_TOKEN };
  expect(commandOf('--secret-file', secretFile(secret)).secret).toBe(JSON.stringify(secret));
});

const RULES: readonly (readonly [string, readonly string[], string])[] = [
  ['an unknown option', ['--token'], "Unknown option '--token'"],
  ['an argument without an option', ['fb1'], 'unexpected argument; options start with --'],
  ['an API token', [API_TOKEN], 'an argument looks like an API token'],
  ['an array that is an API token', ['--array', API_TOKEN], 'an argument looks like an API token'],
  [
    'a host that looks like an API token',
    ['--host', API_TOKEN.slice(2), '--secret-file', 'x'],
    '--host looks like an API token. Were host and apiToken swapped?',
  ],
  ['a host without a secret', ['--host', 'fb.example.com'], '--host requires --secret-file'],
  ['an invalid host', ['--host', 'https://fb', '--secret-file', 'x'], '--host must be a DNS name'],
  ['an invalid array name', ['--array', 'a/b'], '--array: must be an array name'],
  ['a missing file', ['--secret-file', '/does/not/exist'], '--secret-file must be a readable file'],
];

test.each(RULES)('%s is refused with the argument and the rule', (_, args, complaint) => {
  expect(() => readCommand(args)).toThrow(complaint);
});

const SECRETS: readonly (readonly [string, string | object, string])[] = [
  ['text that is not JSON', API_TOKEN, '--secret-file must contain a JSON object'],
  ['JSON that is not an object', '"text"', '--secret-file must contain a JSON object'],
  ['no host', { apiToken: API_TOKEN }, 'the host is missing'],
  ['no API token', { host: 'fb.example.com' }, 'secret in --secret-file: apiToken must be'],
  [
    'an invalid trust',
    { host: 'fb', apiToken: API_TOKEN, trust: { ca: API_TOKEN } },
    'trust.ca must be one or more certificates',
  ],
  ['an unknown field', { host: 'fb', apiToken: API_TOKEN, insecure: true }, 'an unknown field: insecure'],
];

test.each(SECRETS)('a secret file with %s is refused but not quoted', (_, content, complaint) => {
  const refusal = errorOf(() => readCommand(['--secret-file', secretFile(content)]));
  expect(refusal).toContain(complaint);
  expect(refusal).not.toContain(API_TOKEN);
});

function errorOf(call: () => unknown): string {
  try {
    return String(call());
  } catch (error) {
    return String(error);
  }
}

test('invalid arguments end the script with exit code 2 before it starts anything', async () => {
  const { code, stdout, stderr, files } = await run([API_TOKEN, ...PACKAGED]).ended;
  expect({ code, stdout, files }).toEqual({ code: 2, stdout: '', files: [] });
  expect(stderr).toMatch(/^an argument looks like an API token, .*\n\nnpm start -- \[options\]\n/);
  expect(stderr).not.toContain(API_TOKEN);
});
