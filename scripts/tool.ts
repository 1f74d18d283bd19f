/**
 * Runs development tools in the project folder, one after another, for example: `node scripts/launch.mjs tool tsc --then biome check .`.
 * The last tool receives the user's arguments.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ParseArgsOptionsConfig } from 'node:util';
import { ROOT } from './build.ts';
import { ConsumedByNpm, npmFlags, plain, refuseConsumed } from './npm-flags.ts';
import { refuseApiTokens, TokenArgument } from './secret/token-like.ts';

const modules = join(ROOT, 'node_modules');
const PROGRAMS: Readonly<Record<string, string>> = {
  biome: join(modules, '@biomejs/biome/bin/biome'),
  imports: join(ROOT, 'test/unit/rules/imports-program.ts'),
  cspell: join(modules, 'cspell/bin.mjs'),
  osls: join(modules, 'osls/bin/serverless.js'),
  package: join(ROOT, 'scripts/package.ts'),
  prose: join(ROOT, 'test/unit/rules/prose-program.ts'),
  stryker: join(modules, '@stryker-mutator/core/bin/stryker.js'),
  tsc: join(modules, 'typescript/bin/tsc'),
  vitest: join(modules, 'vitest/vitest.mjs'),
};

/** npm has its own settings with these names, so these flags are not meant for the tool. */
const OF_NPM = ['all', 'browser', 'cache', 'color', 'colors', 'force', 'init', 'json', 'loglevel', 'version', 'yes'];

/** Matches a flag, and captures whether it takes a value. Both flags in `-t, --testNamePattern <pattern>` take one. */
const HELP_FLAG = /(?<![\w-])--?([a-z][\w-]*)(?=((?:, +--[\w-]+)? <)?)/gi;

type Tool = readonly [program: string, ...args: string[]];

/** Splits the command line at each --then. */
function toolsOf(words: readonly string[]): Tool[] {
  const at = words.indexOf('--then');
  const [name = '', ...args] = at < 0 ? words : words.slice(0, at);
  const program = PROGRAMS[name];
  if (program === undefined) throw new Error(`unknown tool ${name}; use one of ${Object.keys(PROGRAMS).join(', ')}`);
  return at < 0 ? [[program, ...args]] : [[program, ...args], ...toolsOf(words.slice(at + 1))];
}

/** Returns the tool's flags that npm consumed. Runs the tool with only --help, because another argument could consume --help. */
function flagsOf([program, subcommand = '']: Tool): ParseArgsOptionsConfig {
  const given = npmFlags(process.env).map((flag) => plain(flag.replace(/=.*$/s, '')));
  const { stdout } = spawnSync(process.execPath, [program, ...(/^\w/.test(subcommand) ? [subcommand] : []), '--help'], {
    encoding: 'utf8',
  });
  const flags = [...stdout.matchAll(HELP_FLAG)]
    .map(([, name = '', value]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const)
    .filter(([name]) => given.includes(plain(name)) && !OF_NPM.includes(plain(name)));
  return Object.fromEntries(flags);
}

/** Stops at the first tool that fails. The last tool runs in this process. */
async function run(tools: readonly Tool[]): Promise<void> {
  for (const [n, [program, ...args]] of tools.entries()) {
    if (n === tools.length - 1) {
      process.argv = [process.execPath, program, ...args];
      await import(pathToFileURL(program).href);
      return;
    }
    const { status } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
    process.exitCode = status ?? 130;
    if (status !== 0) return;
  }
}

process.chdir(ROOT);
try {
  refuseApiTokens(process.argv);
  const tools = toolsOf(process.argv.slice(2));
  const last = tools.at(-1) as Tool;
  const isHelp = last.includes('--help') || last.includes('-h');
  if (!isHelp) refuseConsumed(last.slice(1), flagsOf(last), { positionals: true, env: process.env });
  // The last tool's help does not depend on the tools before it.
  await run(isHelp ? [last] : tools);
} catch (error) {
  if (!(error instanceof ConsumedByNpm || error instanceof TokenArgument)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
