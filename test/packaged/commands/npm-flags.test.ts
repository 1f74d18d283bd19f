import { describe, expect, test } from 'vitest';
import { commandOr, parsed } from '../../../scripts/command-line.ts';
import { readCommand as readSecretCommand } from '../../../scripts/secret/arguments.ts';

const UUID = '0f1e2d3c-aaaa-bbbb-cccc-0123456789ab';

const OPTIONS = {
  'api-token': { type: 'string' },
  ca: { type: 'string' },
  fingerprint: { type: 'string', multiple: true },
  host: { type: 'string' },
  json: { type: 'boolean' },
  'keep-api-token': { type: 'boolean' },
  maxWorkers: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

type Npm = {
  /** npm's settings, from its flags or its configuration. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly positionals?: boolean;
  readonly script?: string;
  /** The arguments in package.json. */
  readonly own?: string;
  readonly npm?: string;
};

/** The exit code and the output of a command that npm starts with these arguments, or `ran` if it would do its work. */
function outcome(args: readonly string[], npm: Npm = {}): string {
  const { settings = {}, positionals = true, script = 'secret', own = '', npm: npm_execpath = '/usr/lib/npm' } = npm;
  const env = {
    npm_execpath,
    npm_lifecycle_event: script,
    npm_lifecycle_script: `node scripts/launch.mjs secret${own}`,
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`npm_config_${name}`, value])),
  };
  let text = '';
  const add = (more: string) => {
    text += more;
  };
  const read = () => (parsed(args, OPTIONS, { positionals, env }).values.help ? 'help' : { ran: true });
  const command = commandOr({ read, usage: 'the usage', say: add, complain: add });
  return 'ran' in command ? 'ran' : `${command.exitCode} ${text}`;
}

/** The correct command, as the error prints it. */
function suggested(args: readonly string[], npm: Npm): string | undefined {
  const text = outcome(args, npm);
  expect(text).toMatch(/^2 npm consumed /);
  return /^ {2}(npm .*)$/m.exec(text)?.[1];
}

describe('a flag that npm consumed', () => {
  test('stops the command with exit code 2 and prints the correct command', () => {
    expect(outcome(['fb1'], { settings: { yes: 'true' } })).toBe(
      '2 npm consumed --yes, so nothing was done. Put -- before the arguments:\n\n' +
        '  npm run secret -- fb1 --yes\n\n' +
        'If you did not type it, your npm configuration sets it. Check .npmrc and the npm_config_* variables.',
    );
  });

  test.each([
    ['a flag of several words', ['fb1'], { keep_api_token: 'true' }, 'fb1 --keep-api-token'],
    ['--dry-run, even of a command that does not have it', ['fb1'], { dry_run: 'true' }, 'fb1 --dry-run'],
    ['--dry-run before --', ['fb1', '--host', 'h'], { dry_run: 'true' }, 'fb1 --host h --dry-run'],
    ['--dryRun', ['fb1'], { dryrun: 'true' }, 'fb1 --dry-run'],
    ['--json', ['fb1'], { json: 'true' }, 'fb1 --json'],
    ['a flag in camel case, which npm lowercases', ['fb1'], { maxworkers: '2' }, 'fb1 --maxWorkers 2'],
    ['a flag with its value', ['fb1'], { host: 'fb1.example.com:8443' }, 'fb1 --host fb1.example.com:8443'],
    ['words that a shell would split', ["it's"], { host: 'a b' }, "'it'\\''s' --host 'a b'"],
    ['a flag that was given twice', ['fb1'], { fingerprint: 'a\n\nb' }, 'fb1 --fingerprint a --fingerprint b'],
    ['a flag without its value', ['fb1', 'h'], { host: 'true' }, '<arguments> --host <value>'],
    ['several flags', ['fb1'], { yes: 'true', host: 'true' }, '<arguments> --host <value> --yes'],
    ['a path for --ca', ['fb1'], { ca: 'ca.pem' }, 'fb1 --ca ca.pem'],
  ])('is part of the printed command: %s', (_, args, settings, words) => {
    expect(suggested(args, { settings })).toBe(`npm run secret -- ${words}`);
  });

  test.each([
    [['lab'], { host: 'true' }, '--host lab'],
    [['lab', 'ca.pem'], { host: 'true', ca: 'true' }, '--ca <value> --host <value>'],
    [[], { host: 'true' }, '--host <value>'],
  ])('gets its value back if only one argument can be that value: %j with %j', (args, settings, words) => {
    expect(suggested(args, { settings, positionals: false, script: 'start' })).toBe(`npm start -- ${words}`);
  });

  test('is printed without anything that may be a token', () => {
    for (const token of [`T-${UUID}`, UUID, `x?api-token=${UUID}`]) {
      for (const npm of [
        { settings: { yes: 'true' } },
        { settings: { host: token } },
        { settings: { host: 'true' } },
      ]) {
        const text = outcome([token], npm);
        expect(text).toMatch(/^2 (npm consumed|an argument looks like an API token)/);
        expect(text).not.toContain(UUID.slice(0, 8));
      }
    }
    expect(suggested([], { settings: { api_token: 'hello' } })).toBe('npm run secret -- --api-token <value>');
  });

  test('is printed after the name of the script, without the arguments that package.json adds', () => {
    expect(suggested([], { settings: { yes: 'true' }, script: 'start' })).toBe('npm start -- --yes');
    expect(suggested([], { settings: { yes: 'true' }, script: 'test' })).toBe('npm test -- --yes');
    const npm = { settings: { host: 'h' }, script: 'contracts:array', own: ' --yes' };
    expect(suggested(['--yes', 'x'], npm)).toBe('npm run contracts:array -- x --host h');
  });
});

describe('the command runs', () => {
  const NPX = '/home/me/.npm/_npx/0123/node_modules/npm/bin/npm-cli.js';

  test.each([
    ['if the command received the flag', ['fb1', '--yes'], { settings: { yes: 'true', dry_run: '' } }],
    ['if the command received the flag with its value', ['fb1', '--host=h'], { settings: { host: 'true' } }],
    ['if the npm setting is off', ['fb1'], { settings: { yes: '', json: 'false', dry_run: 'null' } }],
    ['if the npm setting has no option of the same name', ['fb1'], { settings: { registry: 'r', force: 'true' } }],
    ["if the npm setting is npm's own certificate", ['fb1'], { settings: { ca: '-----BEGIN CERTIFICATE-----\nMIIB' } }],
    ['if npx started npm and passed its own --yes on', ['fb1'], { settings: { yes: 'true' }, npm: NPX }],
    [
      'if --yes or --json is configured and the user typed --',
      ['--host', 'h'],
      { settings: { yes: 'true', json: 'true' } },
    ],
  ] satisfies [string, string[], Npm][])('%s', (_, args, npm) => {
    expect(outcome(args, npm)).toBe('ran');
  });

  test('if the user asks for help', () => {
    expect(outcome(['--help'], { settings: { yes: 'true' } })).toBe('0 the usage');
    expect(outcome(['-h'])).toBe('0 the usage');
  });
});

describe('an API token that npm consumed is refused and not printed', () => {
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
  ])("unless it is one of npm's own tokens: %j", (env) => {
    expect(readSecretCommand(['fb1'], env)).toMatchObject({ name: 'fb1' });
  });

  test.each([
    [['fb1'], { npm_config_keep_api_token: 'true' }],
    [['fb1', UUID], { npm_config_kms_key: 'true' }],
    [['fb1'], { npm_config_kms_key: UUID }],
  ])('unless the flag cannot contain one: %j with %j', (args, env) => {
    const read = () => readSecretCommand(args, env);
    expect(read).toThrow(/^npm consumed --k/);
    expect(read).not.toThrow(UUID.slice(0, 8));
  });
});
