/**
 * Detects flags that npm consumed. `npm run secret fb1 --dry-run` runs `secret fb1`: npm keeps every flag that has no `--` before it,
 * and passes it on only as the environment variable `npm_config_dry_run`. Without this check, the script would write the secret.
 */
import type { ParseArgsOptionsConfig } from 'node:util';
import { maskUuids } from '../lib/core/redact.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Checked for every command: a command without this flag would do what the user did not want. */
const ALWAYS = { 'dry-run': { type: 'boolean' } } as const;

const PREFIX = 'npm_config_';
export const HIDDEN = '<value>';

/** npm's settings from its flags, the environment and .npmrc, such as `['dry-run', 'true']`. Omits registries and disabled settings. */
const npmSettings = (env: Environment): [name: string, value: string][] =>
  Object.entries(env)
    .filter(([name, value]) => name.startsWith(PREFIX) && !['', 'false', 'null', undefined].includes(value))
    .map(([name, value = '']): [string, string] => [name.slice(PREFIX.length).replaceAll('_', '-'), value])
    .filter(([name]) => /^\w/.test(name));

/** npm's settings as command-line flags. */
export const npmFlags = (env: Environment): string[] =>
  npmSettings(env).map(([name, value]) => (value === 'true' ? `--${name}` : `--${name}=${value}`));

export class ConsumedByNpm extends Error {}

/** `values`: the values that npm passed on, or `true` if it passed on none. Undefined for a flag that has no value. */
type Consumed = { readonly flag: string; readonly values: readonly string[] | undefined };

/**
 * Throws ConsumedByNpm, with the command to type instead, if npm consumed one of `options` or --dry-run.
 * `positionals`: whether the command takes arguments other than options.
 */
export function refuseConsumed(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
  { positionals, env }: { readonly positionals: boolean; readonly env: Environment },
): void {
  const settings = npmSettings(env);
  const consumed = Object.entries({ ...options, ...ALWAYS }).flatMap(([name, { type }]): Consumed[] => {
    const [, value] = settings.find(([setting]) => plain(setting) === plain(name)) ?? [];
    if (value === undefined || isOwnSetting(name, value, args, env)) return [];
    // npm joins the values of a repeated flag.
    return [
      {
        flag: name.length === 1 ? `-${name}` : `--${name}`,
        values: type === 'boolean' && value === 'true' ? undefined : value.split('\n\n'),
      },
    ];
  });
  if (consumed.length === 0) return;
  const flags = new Intl.ListFormat('en').format(consumed.map(({ flag }) => flag));
  throw new ConsumedByNpm(
    `npm consumed ${flags}, so nothing was done. Put -- before the arguments:\n\n  ${commandFor(args, consumed, positionals, env)}\n\n` +
      `If you did not type ${consumed.length === 1 ? 'it' : 'them'}, your npm configuration sets this: check .npmrc and the ${PREFIX}* variables.`,
  );
}

/** `--dryRun` and `--dryrun` mean `--dry-run`. */
export const plain = (name: string): string => name.replaceAll(/[-_]/g, '').toLowerCase();

/** Whether the command lost no flag: the setting is npm's own, or the command received the flag. */
function isOwnSetting(name: string, value: string, args: readonly string[], env: Environment): boolean {
  if (args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))) return true;
  if (name === 'ca') return value.startsWith('-----BEGIN');
  // npx passes on its own --yes. A user who typed a flag after -- knows about it, and these two are safe to ignore.
  if (name === 'yes' && /[\\/]_npx[\\/]/.test(env['npm_execpath'] ?? '')) return true;
  return (name === 'yes' || name === 'json') && args.some((arg) => arg.startsWith('-'));
}

function commandFor(
  args: readonly string[],
  consumed: readonly Consumed[],
  positionals: boolean,
  { npm_lifecycle_event: script = '', npm_lifecycle_script: command = '' }: Environment,
): string {
  // npm adds the arguments in package.json.
  const typed = args.filter((arg) => !command.split(' ').includes(arg)).map(shown);
  const flags = consumed.flatMap(({ flag, values }) =>
    values === undefined ? [flag] : values.flatMap((value) => [flag, isSecret(flag, value) ? HIDDEN : shown(value)]),
  );
  // npm leaves the value of `--host fb1` among the arguments and does not say which one it was.
  const lost = flags.filter((word) => word === 'true').length;
  const [only] = typed;
  const words =
    lost === 0
      ? [...typed, ...flags]
      : lost === 1 && typed.length === 1 && !positionals
        ? flags.map((word) => (word === 'true' ? only : word))
        : [...(positionals ? ['<arguments>'] : []), ...flags.map((word) => (word === 'true' ? HIDDEN : word))];
  return [script === 'start' || script === 'test' ? 'npm' : 'npm run', script, '--', ...words].join(' ');
}

const isSecret = (flag: string, value: string): boolean => value !== 'true' && /token|password|secret/.test(flag);

function shown(word: string): string {
  if (maskUuids(word, '') !== word) return HIDDEN;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
