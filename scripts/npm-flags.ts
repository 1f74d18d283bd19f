/**
 * Detects flags that npm consumed. For example, `npm run secret fb1 --dry-run` runs `secret fb1`, because npm consumes flags that have
 * no `--` before them. npm passes such a flag on only as the environment variable `npm_config_dry_run`. Without this check, the script
 * would write the secret.
 */
import type { ParseArgsOptionsConfig } from 'node:util';
import { maskUuids } from '../lib/core/redact.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Checked for every command, because a user who types --dry-run does not want the command to change anything. */
const ALWAYS = { 'dry-run': { type: 'boolean' } } as const;

const PREFIX = 'npm_config_';
export const HIDDEN = '<value>';

/**
 * Returns npm's settings from its flags, the environment and .npmrc, such as `['dry-run', 'true']`. Omits registries and disabled settings.
 */
const npmSettings = (env: Environment): [name: string, value: string][] =>
  Object.entries(env)
    .filter(([name, value]) => name.startsWith(PREFIX) && !['', 'false', 'null', undefined].includes(value))
    .map(([name, value = '']): [string, string] => [name.slice(PREFIX.length).replaceAll('_', '-'), value])
    .filter(([name]) => /^\w/.test(name));

/** Returns npm's settings as command-line flags. */
export const npmFlags = (env: Environment): string[] =>
  npmSettings(env).map(([name, value]) => (value === 'true' ? `--${name}` : `--${name}=${value}`));

export class ConsumedByNpm extends Error {}

/** `values` are the values that npm passed on, or `true` if npm passed on none. Undefined for a flag that takes no value. */
type Consumed = { readonly flag: string; readonly values: readonly string[] | undefined };

/**
 * Throws ConsumedByNpm, with the command to type instead, if npm consumed one of `options` or --dry-run. `positionals` is true if the
 * command takes arguments other than options.
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
    // npm joins the values of a repeated flag with blank lines.
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
      `If you did not type ${consumed.length === 1 ? 'it' : 'them'}, your npm configuration sets ${consumed.length === 1 ? 'it' : 'them'}. Check .npmrc and the ${PREFIX}* variables.`,
  );
}

/** Normalizes a flag's name, because `--dryRun` and `--dryrun` mean `--dry-run`. */
export const plain = (name: string): string => name.replaceAll(/[-_]/g, '').toLowerCase();

/** Returns true if npm did not consume this flag: either the setting is npm's own, or the command received the flag. */
function isOwnSetting(name: string, value: string, args: readonly string[], env: Environment): boolean {
  if (args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))) return true;
  if (name === 'ca') return value.startsWith('-----BEGIN');
  // npx sets its own --yes. If any flag reached the command, the user knows about --, and ignoring --yes or --json does no harm.
  if (name === 'yes' && /[\\/]_npx[\\/]/.test(env['npm_execpath'] ?? '')) return true;
  return (name === 'yes' || name === 'json') && args.some((arg) => arg.startsWith('-'));
}

function commandFor(
  args: readonly string[],
  consumed: readonly Consumed[],
  positionals: boolean,
  { npm_lifecycle_event: script = '', npm_lifecycle_script: command = '' }: Environment,
): string {
  // The arguments also include those from package.json, which the user did not type.
  const typed = args.filter((arg) => !command.split(' ').includes(arg)).map(shown);
  const flags = consumed.flatMap(({ flag, values }) =>
    values === undefined ? [flag] : values.flatMap((value) => [flag, isSecret(flag, value) ? HIDDEN : shown(value)]),
  );
  // For `--host fb1`, npm leaves the value among the arguments without indicating which argument it is.
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
