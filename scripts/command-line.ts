/** What commands have in common between their arguments and their work. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { explain } from './start/failures.ts';

/** Options and what stands beside them. Throws an Error that names the option, and quotes no value. */
export function parsed<Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
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
    complain(`${explain(error)}\n\n${usage}`);
    return { exitCode: 2 };
  }
}
