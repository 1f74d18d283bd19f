/** What all commands share: options in, a command, help or a complaint out. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type Environment, refuseTaken, TakenByNpm } from './npm-flags.ts';
import { explain } from './start/failures.ts';

const HELP = { help: { type: 'boolean', short: 'h' } } as const;

type Given = {
  /** Arguments without an option are allowed. Default: false. */
  readonly positionals?: boolean;
  readonly env?: Environment;
};

/**
 * Options, `help` among them, and what stands beside them. Throws an Error that names the option and quotes no value, and TakenByNpm.
 */
export function parsed<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  { positionals = false, env = process.env }: Given = {},
) {
  const all: typeof HELP & Options = { ...HELP, ...options };
  const result = orComplaint(() => parseArgs({ args: [...args], options: all, allowPositionals: true }));
  const { help } = result.values as { readonly help?: boolean };
  if (help) return result;
  refuseTaken(args, options, env);
  if (!positionals && result.positionals.length > 0) throw new Error('every argument begins with --');
  return result;
}

function orComplaint<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    // The first sentence names the option; what follows is about values that begin with a hyphen, which none does here.
    throw new Error(error instanceof Error ? error.message.split(/\. |\n/)[0] : 'the arguments cannot be read');
  }
}

type Reading<Command> = {
  /** Throws an Error about what is wrong. */
  readonly read: () => Command | 'help';
  readonly usage: string;
  readonly say: (text: string) => unknown;
  readonly complain: (text: string) => unknown;
};

/** The command to carry out, or the exit code if there is nothing to do: 0 after help, 2 after arguments that are wrong. */
export function commandOr<Command>({ read, usage, say, complain }: Reading<Command>): Command | { exitCode: number } {
  try {
    const command = read();
    if (command !== 'help') return command;
    say(usage);
    return { exitCode: 0 };
  } catch (error) {
    complain(error instanceof TakenByNpm ? error.message : `${explain(error)}\n\n${usage}`);
    return { exitCode: 2 };
  }
}

/** Runs a command that has no options but --help. `work` returns the exit code. */
export async function runPlain(usage: string, work: () => Promise<number>): Promise<void> {
  const read = () => (parsed(process.argv.slice(2), {}).values.help ? 'help' : {});
  const command = commandOr({ read, usage, say: console.log, complain: console.error });
  process.exitCode = 'exitCode' in command ? command.exitCode : await work();
}
