/** Parses command-line arguments for every command. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { maskUuids } from '../lib/core/redact.ts';
import { ConsumedByNpm, type Environment, HIDDEN, refuseConsumed } from './npm-flags.ts';
import { refuseApiTokens } from './secret/token-like.ts';
import { explain } from './start/failures.ts';

const HELP = { help: { type: 'boolean', short: 'h' } } as const;

type Given = {
  /** True if the command takes arguments other than options. Default: false. */
  readonly positionals?: boolean;
  /** True if the command accepts API tokens as arguments. They must not be tokens of a real array. Default: false. */
  readonly apiTokens?: boolean;
  /** Default: process.env. */
  readonly env?: Environment;
};

/**
 * Returns the options, including `help`, and the other arguments. Throws an Error that names the option but never quotes a value. Rejects
 * API tokens in the arguments, so that no command can print one.
 */
export function parsed<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  { positionals = false, apiTokens = false, env = process.env }: Given = {},
) {
  const all: typeof HELP & Options = { ...HELP, ...options };
  const result = orError(() => parseArgs({ args: [...args], options: all, allowPositionals: true }));
  const { help } = result.values as { readonly help?: boolean };
  if (help) return result;
  if (!apiTokens) refuseApiTokens(args);
  refuseConsumed(args, options, { positionals, env });
  if (!positionals && result.positionals.length > 0) throw new Error('unexpected argument; options start with --');
  return result;
}

function orError<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    // Keep only the first sentence, which names the option. The rest is about values that begin with a hyphen, which no option here
    // accepts.
    throw new Error(error instanceof Error ? error.message.split(/\. |\n/)[0] : 'the arguments cannot be parsed');
  }
}

type Reading<Command> = {
  /** Throws an Error that names the problem. */
  readonly read: () => Command | 'help';
  readonly usage: string;
  readonly say: (text: string) => unknown;
  readonly complain: (text: string) => unknown;
};

/** Returns the command to run, or an exit code: 0 after printing help, 2 for invalid arguments. */
export function commandOr<Command>({ read, usage, say, complain }: Reading<Command>): Command | { exitCode: number } {
  try {
    const command = read();
    if (command !== 'help') return command;
    say(usage);
    return { exitCode: 0 };
  } catch (error) {
    // The error may quote an unknown option, which could be a token.
    complain(error instanceof ConsumedByNpm ? error.message : `${maskUuids(explain(error), HIDDEN)}\n\n${usage}`);
    return { exitCode: 2 };
  }
}

/** Like `commandOr`, but uses this process's arguments and output. */
export const commandOfProcess = <Command>(read: (args: readonly string[]) => Command | 'help', usage: string) =>
  commandOr({ read: () => read(process.argv.slice(2)), usage, say: console.log, complain: console.error });

/** Runs a command that has no options other than --help. `work` returns the exit code. */
export async function runPlain(usage: string, work: () => Promise<number>): Promise<void> {
  const command = commandOfProcess((args) => (parsed(args, {}).values.help ? 'help' : {}), usage);
  process.exitCode = 'exitCode' in command ? command.exitCode : await work();
}
