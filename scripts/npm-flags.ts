/**
 * Flags that npm took for itself. `npm run secret fb1 --dry-run` runs `secret fb1`: npm keeps every flag that has no `--` before it,
 * and passes it on only as the environment variable `npm_config_dry_run`. The script would do what it was told not to do.
 */
import type { ParseArgsOptionsConfig } from 'node:util';
import { looksLikeToken } from './secret/token-like.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** People expect these of every command, including one that does not have them. */
const EXPECTED = { 'dry-run': { type: 'boolean' }, json: { type: 'boolean' } } as const;

const PREFIX = 'npm_config_';
/** Stands for what is not known, or must not be repeated. */
const HIDDEN = '…';

/** npm's settings, from flags, environment and .npmrc: `dry-run` and `true`. Without those that are off and those about registries. */
const npmSettings = (env: Environment): [name: string, value: string][] =>
  Object.entries(env)
    .filter(([name, value]) => name.startsWith(PREFIX) && !['', 'false', 'null', undefined].includes(value))
    .map(([name, value = '']): [string, string] => [name.slice(PREFIX.length).replaceAll('_', '-'), value])
    .filter(([name]) => /^\w/.test(name));

/** The same as they may have been typed. */
export const npmFlags = (env: Environment): string[] =>
  npmSettings(env).map(([name, value]) => (value === 'true' ? `--${name}` : `--${name}=${value}`));

export class TakenByNpm extends Error {}

/** Throws TakenByNpm, with the line to type instead, if npm took one of `options`. */
export function refuseTaken(args: readonly string[], options: ParseArgsOptionsConfig, env: Environment): void {
  const settings = npmSettings(env);
  const taken = Object.entries({ ...options, ...EXPECTED }).flatMap(([name, { type }]) => {
    if (args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))) return [];
    const [, value] = settings.find(([setting]) => isSame(setting, name)) ?? [];
    // npm has a setting `ca` of its own: a certificate as text.
    if (value === undefined || value.startsWith('-----BEGIN')) return [];
    return [{ flag: `--${name}`, value: type === 'boolean' ? undefined : value }];
  });
  if (taken.length === 0) return;
  const flags = new Intl.ListFormat('en').format(taken.map(({ flag }) => flag));
  throw new TakenByNpm(
    `npm took ${flags} for itself, so nothing was done. Put -- before the arguments:\n\n  ${lineFor(args, taken, env)}\n\n` +
      `If you typed no such flag, npm's configuration sets it: check .npmrc and the environment variables ${PREFIX}….`,
  );
}

/** Also if it was typed as `--dryRun` or `--dryrun`. */
const isSame = (setting: string, name: string): boolean => plain(setting) === plain(name);

const plain = (name: string): string => name.replaceAll('-', '').toLowerCase();

type Taken = { readonly flag: string; readonly value: string | undefined };

/** npm leaves the value of `--host fb1` among the arguments, and does not say which of them it was. */
function lineFor(args: readonly string[], taken: readonly Taken[], env: Environment): string {
  const { npm_lifecycle_event: script = '', npm_lifecycle_script: command = '' } = env;
  // Arguments that package.json gives itself are added again.
  const typed = args.filter((arg) => !command.split(' ').includes(arg)).map(quoted);
  const flags = taken.flatMap(({ flag, value }) =>
    value === undefined ? [flag] : [flag, value === 'true' ? HIDDEN : quoted(value)],
  );
  const lost = taken.filter(({ value }) => value === 'true').length;
  const words =
    lost === 0
      ? [...typed, ...flags]
      : lost === 1 && typed.length === 1
        ? flags.map((word) => (word === HIDDEN ? typed[0] : word))
        : [HIDDEN, ...flags];
  return [script === 'start' || script === 'test' ? 'npm' : 'npm run', script, '--', ...words].join(' ');
}

function quoted(word: string): string {
  if (looksLikeToken(word)) return HIDDEN;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
