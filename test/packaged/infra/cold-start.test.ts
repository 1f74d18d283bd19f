/** Which parts of Node a cold start loads. Unlike the time of a cold start, this is exact. */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { functionEntries, ROOT } from '../../../scripts/build.ts';

const ENV = {
  PATH: process.env['PATH'],
  // Nothing listens there: a function calls AWS when it starts.
  AWS_ENDPOINT_URL: 'https://127.0.0.1:9',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'x',
  LEASE_TABLE: 'leases',
  LEASE_KEY: 'alias/leases',
  EVENT_BUS: 'bus',
  DEAD_LETTER_QUEUE: 'https://sqs.eu-west-1.amazonaws.com/1/letters',
};

/** Names of the built-in modules that a one-line program loads, except those that Node loads at startup. */
function loadedBy(line: string): string[] {
  const program = `const before = new Set(process.moduleLoadList); ${line};
    console.log(process.moduleLoadList.filter((name) => !before.has(name)).join('\\n'))`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { env: ENV, encoding: 'utf8' });
  return output.split('\n').map((name) => name.replace(/^(NativeModule|Internal Binding) /, ''));
}

/** Parts of Node that take milliseconds to load and that no function needs. */
const SLOW = /undici|fetch|readline|repl|^fs\/promises|inspector|webstreams|^internal\/crypto\/webcrypto/;

test('no function loads an unneeded part of Node at its cold start', () => {
  const bundles = functionEntries().map((entry) => resolve(ROOT, 'dist/functions', `${basename(entry, '.ts')}.mjs`));
  const loaded = loadedBy(bundles.map((path) => `await import(${JSON.stringify(path)})`).join(';'));
  expect(loaded).toContain('https');
  expect(loaded.filter((name) => SLOW.test(name))).toEqual([]);
});

test.for([
  ['copies the input and output of AWS calls for an absent logger', 'loggerMiddleware'],
  ['reads AWS profile files', 'AWS_CONFIG_FILE'],
  ['requests its region from instance metadata', '/latest/meta-data/placement/region'],
] as const)('no function %s', ([, text]) => {
  for (const entry of functionEntries()) {
    const bundle = readFileSync(resolve(ROOT, 'dist/functions', `${basename(entry, '.ts')}.mjs`), 'utf8');
    expect(
      ['hostHeaderMiddleware', text].map((name) => bundle.includes(name)),
      entry,
    ).toEqual([true, false]);
  }
});

test('functions with waiting callers connect to the ledger before their first invocation, and the others make no call', async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const { Key } = JSON.parse(await text(request));
    asked.push(`${request.headers['x-amz-target']} ${Key.id.S}`);
    response.writeHead(400).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const env = { ...ENV, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  for (const entry of functionEntries()) {
    const name = basename(entry, '.ts');
    const program = `await import(${JSON.stringify(resolve(ROOT, 'dist/functions', `${name}.mjs`))})`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env });
    const waited = !['sweep-sessions', 'check-fleet'].includes(name);
    expect(asked.splice(0), name).toEqual(waited ? ['DynamoDB_20120810.GetItem lease#'] : []);
  }
  server.close();
});

test.for([
  [{}, 'dynamodb.eu-west-1.amazonaws.com'],
  [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'dynamodb-fips.eu-west-1.amazonaws.com'],
  [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'dynamodb.eu-west-1.api.aws'],
  [{ AWS_ENDPOINT_URL: 'https://all.example' }, 'all.example'],
  [{ AWS_ENDPOINT_URL: 'https://all.example', AWS_ENDPOINT_URL_DYNAMODB: 'https://one.example' }, 'one.example'],
  [
    { AWS_ENDPOINT_URL: 'https://all.example', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    'dynamodb.eu-west-1.amazonaws.com',
  ],
] satisfies [Record<string, string>, string][])('a function with %j in its environment calls %s', ([said, host]) => {
  const { AWS_ENDPOINT_URL: _, ...env } = ENV;
  const program = `
    const dns = process.getBuiltinModule('node:dns');
    const asked = new Set();
    dns.lookup = (host, options, done) => { asked.add(host); done(new Error('no such host')); };
    await import(${JSON.stringify(resolve(ROOT, 'dist/functions/login.mjs'))});
    console.log([...asked].join());`;
  const args = ['--input-type=module', '-e', program];
  expect(execFileSync(process.execPath, args, { env: { ...env, ...said }, encoding: 'utf8' }).trim()).toBe(host);
});

test('a program that imports all exports of node:http is detected', () => {
  expect(loadedBy("await import('node:http')").filter((name) => SLOW.test(name))).not.toEqual([]);
});
