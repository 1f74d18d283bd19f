/** Checks the command lines in documents against the scripts of package.json and against osls. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { type ParseArgsOptionDescriptor, parseArgs, promisify } from 'node:util';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/build.ts';

const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(resolve(ROOT, 'package.json'), 'utf8'),
);

/** npm's own commands and settings that documents may use. */
const NPM_COMMANDS = ['ci', 'install'];
const NPM_SETTINGS = ['--dry-run', '--include', '--omit', '--prefix', '--silent', '--version'];

const isPlaceholder = (word: string): boolean => word === '' || /^[<[…]/.test(word);
const flagsIn = (words: readonly string[]): string[] =>
  words.filter((word) => /^--?[a-z]/i.test(word)).map((word) => word.replace(/=.*$/s, ''));

const helps = new Map<string, Promise<string>>();

/** What the script prints for --help. */
function helpOf(script: string): Promise<string> {
  const [, ...args] = (scripts[script] as string).split(' ');
  const run = () => promisify(execFile)(process.execPath, [...args, '--help'], { cwd: ROOT });
  const help = helps.get(script) ?? run().then(({ stdout }) => stdout);
  helps.set(script, help);
  return help;
}

const isKnown = (flag: string, help: string): boolean => new RegExp(String.raw`(?<![\w-])${flag}(?![\w-])`).test(help);

/** What is wrong with the words of `npm …`. */
async function npmFaults(words: readonly string[]): Promise<string[]> {
  const separator = words.indexOf('--');
  const before = separator < 0 ? words : words.slice(0, separator);
  const [command = '', name = '', ...others] = before.filter((word) => !word.startsWith('-'));
  const given = flagsIn(before);
  const script = command === 'run' ? name : command;
  if (isPlaceholder(script)) return [];
  if (command !== 'run' && NPM_COMMANDS.includes(command)) {
    return given.filter((flag) => !NPM_SETTINGS.includes(flag)).map((flag) => `npm has no ${flag}`);
  }
  if (scripts[script] === undefined) return [`there is no script ${script}`];
  if (command !== 'run' && !['start', 'test'].includes(command)) return [`npm ${script} needs run`];
  const arguments_ = command === 'run' ? others : [name, ...others].filter(Boolean);
  const passed = flagsIn(separator < 0 ? [] : words.slice(separator + 1)).filter((flag) => flag !== '--help');
  const help = passed.length > 0 ? await helpOf(script) : '';
  return [
    ...given
      .filter((flag) => !['--silent', '--prefix'].includes(flag))
      .map((flag) => `npm takes ${flag} for itself: put -- before it`),
    ...(arguments_.length > 0 && !before.includes('--prefix') ? ['put -- before the arguments'] : []),
    ...passed.filter((flag) => !isKnown(flag, help)).map((flag) => `npm run ${script} has no ${flag}`),
    // This script passes its arguments on to osls.
    ...(script === 'deploy' && separator >= 0 ? oslsFaults(['deploy', ...words.slice(separator + 1)]) : []),
  ];
}

type OslsOption = { readonly type?: string; readonly shortcut?: string };
const OSLS: ReadonlyMap<string, { readonly options: Readonly<Record<string, OslsOption>> }> = createRequire(
  import.meta.url,
)('osls/lib/cli/commands-schema/aws-service.js');

/** The parameters in serverless.yml. */
const PARAMETERS = Object.keys(parse(readFileSync(resolve(ROOT, 'serverless.yml'), 'utf8')).params.default);

/** What is wrong with the words of `npx osls …`. */
function oslsFaults(words: readonly string[]): string[] {
  const at = words.findIndex((word) => word.startsWith('-'));
  const command = words.slice(0, at < 0 ? words.length : at).join(' ');
  const known = Object.entries(OSLS.get(command)?.options ?? {});
  if (known.length === 0) return [`osls has no command ${command}`];
  const options = known.map(([name, { type, shortcut }]): [string, ParseArgsOptionDescriptor] => [
    name,
    { type: type === 'boolean' ? 'boolean' : 'string', ...(shortcut === undefined ? {} : { short: shortcut }) },
  ]);
  const config = {
    options: Object.fromEntries(options),
    args: at < 0 ? [] : words.slice(at),
    strict: false,
    tokens: true,
  } as const;
  return parseArgs(config).tokens.flatMap((token) => {
    if (token.kind !== 'option')
      return [`osls ${command} has no argument ${token.kind === 'positional' ? token.value : '--'}`];
    const { name, rawName, value } = token;
    const type = config.options[name]?.type;
    if (type === undefined) return [`osls ${command} has no ${rawName}`];
    if (type === 'boolean') return value === undefined ? [] : [`osls ${command} --${name} has no value`];
    if (value === undefined || value.startsWith('--')) return [`osls ${command} ${rawName} needs a value`];
    return name === 'param' ? parameterFaults(value) : [];
  });
}

function parameterFaults(given: string): string[] {
  const [name = '', ...value] = given.split('=');
  if (value.length === 0) return [`--param needs name=value, and not ${given}`];
  return isPlaceholder(name) || PARAMETERS.includes(name) ? [] : [`serverless.yml has no parameter ${name}`];
}

/** What is wrong with one command. Commands other than npm and osls are not known here. */
export async function commandFaults([program, ...words]: readonly string[]): Promise<string[]> {
  if (program === 'npm') return npmFaults(words);
  const [first = '', ...rest] = words.filter((word) => word !== '--yes' && word !== '-y');
  if (program === 'npx' && first === 'osls') return oslsFaults(rest);
  if (program === 'npx' && /^npm@\d/.test(first)) return npmFaults(rest);
  if (program === 'npx') return [`npx ${first} would fetch a package that is not installed`];
  return [];
}
