import { describe, expect, test } from 'vitest';
import { commandOr, parsed } from '../../scripts/command-line.ts';
import { readCommand as readSecretCommand } from '../../scripts/secret/arguments.ts';

const UUID = '0f1e2d3c-aaaa-bbbb-cccc-0123456789ab';

const OPTIONS = {
  ca: { type: 'string' },
  host: { type: 'string' },
  'keep-api-token': { type: 'boolean' },
  maxWorkers: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

/** What a command says whose script `secret` npm started with these arguments and settings. */
function said(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  script = 'secret',
  command = '',
): string {
  const env = {
    npm_lifecycle_event: script,
    npm_lifecycle_script: `node scripts/launch.mjs secret${command}`,
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`npm_config_${name}`, value])),
  };
  let text = '';
  const add = (more: string) => {
    text += more;
  };
  const read = () => (parsed(args, OPTIONS, { positionals: true, env }).values.help ? 'help' : { ran: true });
  const command_ = commandOr({ read, usage: 'the usage', say: add, complain: add });
  return 'ran' in command_ ? 'ran' : `${command_.exitCode} ${text}`;
}

const lineIn = (text: string): string => /^ {2}(npm .*)$/m.exec(text)?.[1] ?? text;

describe('a flag that npm took for itself', () => {
  test('is noticed: nothing is done, the exit code is 2, and the line to type is printed without the usage', () => {
    expect(said(['fb1'], { yes: 'true' })).toBe(
      '2 npm took --yes for itself, so nothing was done. Put -- before the arguments:\n\n' +
        '  npm run secret -- fb1 --yes\n\n' +
        "If you typed no such flag, npm's configuration sets it: check .npmrc and the environment variables npm_config_….",
    );
  });

  test.each([
    ['of two words', ['fb1'], { keep_api_token: 'true' }, 'npm run secret -- fb1 --keep-api-token'],
    [
      'that the command does not have, but people expect',
      ['fb1'],
      { dry_run: 'true' },
      'npm run secret -- fb1 --dry-run',
    ],
    ['for scripts', ['fb1'], { json: 'true' }, 'npm run secret -- fb1 --json'],
    ['in capitals, which npm makes small', ['fb1'], { maxworkers: '2' }, 'npm run secret -- fb1 --maxWorkers 2'],
    ['written together', ['fb1'], { dryrun: 'true' }, 'npm run secret -- fb1 --dry-run'],
    ['with its value', ['fb1'], { host: 'fb1.example.com:8443' }, 'npm run secret -- fb1 --host fb1.example.com:8443'],
    ['with an odd value', ["it's"], { host: 'a b' }, "npm run secret -- 'it'\\''s' --host 'a b'"],
    [
      'whose value is the only argument',
      ['fb1.example.com'],
      { host: 'true' },
      'npm run secret -- --host fb1.example.com',
    ],
    [
      'whose value may be either argument',
      ['fb1', 'fb1.example.com'],
      { host: 'true' },
      'npm run secret -- … --host …',
    ],
    ['beside another', ['fb1'], { yes: 'true', host: 'true' }, 'npm run secret -- --host fb1 --yes'],
    ['of which two lost their values', ['a', 'b'], { ca: 'true', host: 'true' }, 'npm run secret -- … --ca … --host …'],
    ['with a path for --ca', ['fb1'], { ca: 'ca.pem' }, 'npm run secret -- fb1 --ca ca.pem'],
  ])('%s', (_, args, settings, line) => {
    const text = said(args, settings);
    expect(text).toMatch(/^2 npm took /);
    expect(lineIn(text)).toBe(line);
  });

  test('is named without what looks like a token', () => {
    for (const token of [`T-${UUID}`, UUID]) {
      for (const text of [
        said([token], { yes: 'true' }),
        said(['a'], { host: token }),
        said([token], { host: 'true' }),
      ]) {
        expect(text).toMatch(/^2 npm took /);
        expect(text).not.toContain(UUID.slice(0, 8));
      }
    }
  });

  test('is told with the name of the script, and without the arguments that package.json adds', () => {
    expect(lineIn(said([], { yes: 'true' }, 'start'))).toBe('npm start -- --yes');
    expect(lineIn(said([], { yes: 'true' }, 'test'))).toBe('npm test -- --yes');
    const text = said(['--yes', 'x'], { host: 'h' }, 'contracts:array', ' --yes');
    expect(lineIn(text)).toBe('npm run contracts:array -- x --host h');
  });
});

describe('no complaint is made', () => {
  test.each([
    ['about a flag that came through', ['fb1', '--yes'], { yes: 'true' }],
    ['about an option with its value that came through', ['fb1', '--host=h'], { host: 'true' }],
    ['about a setting that is off', ['fb1'], { yes: '', json: 'false', dry_run: 'null' }],
    [
      'about a setting that the command does not share',
      ['fb1'],
      { registry: 'https://registry.example.com', force: 'true' },
    ],
    ["about npm's own certificate", ['fb1'], { ca: '-----BEGIN CERTIFICATE-----\nMIIB' }],
    ['about npx, which hands --yes on to a command without such a flag', ['fb1'], { package: 'npm' }],
  ])('%s', (_, args, settings) => {
    expect(said(args, settings)).toBe('ran');
  });

  test('where help is asked for', () => {
    expect(said(['--help'], { yes: 'true' })).toBe('0 the usage');
    expect(said(['-h'], {})).toBe('0 the usage');
  });
});

describe('an API token that npm took for itself is refused and not repeated', () => {
  test.each([
    { npm_config_api_token: `T-${UUID}` },
    { npm_config_api_token: 'true' },
    { npm_config_token: 'odd' },
    { npm_config_host: `T-${UUID}` },
    { npm_config_x: UUID },
  ])('%j', (env) => {
    const read = () => readSecretCommand(['fb1'], env);
    expect(read).toThrow(/API token/);
    expect(read).not.toThrow(/odd|0f1e2d3c/);
  });

  test.each([
    { npm_config_keep_api_token: '' },
    { npm_config__authtoken: UUID },
    { 'npm_config_//registry.example.com/:_authToken': UUID },
  ])("and npm's own is none of them: %j", (env) => {
    expect(readSecretCommand(['fb1'], env)).toMatchObject({ name: 'fb1' });
  });

  test('--keep-api-token holds none: only the line to type is printed', () => {
    expect(() => readSecretCommand(['fb1'], { npm_config_keep_api_token: 'true' })).toThrow(
      'npm took --keep-api-token',
    );
  });
});
