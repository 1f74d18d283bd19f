/** The command line of `npm run bench`. */
import { parsed } from '../command-line.ts';

export type Command = {
  /** Default all. */
  readonly question: string | undefined;
  readonly quick: boolean;
  readonly json: boolean;
  readonly seed: number;
  /** Files to write. */
  readonly markdown: string | undefined;
  readonly plot: string | undefined;
};

export const usage = (questions: readonly string[]): string => `npm run bench -- [options]

Measures the client against floors, in interleaved rounds.

  --question <name>  one of ${questions.join(', ')}; default all
  --quick            few rounds: shows that it works, not how fast it is
  --seed <number>    of the orders in which contenders run; default 1
  --json             everything, for scripts
  --markdown <file>  the same as Markdown
  --plot <file>      the ratios, as SVG
  --help`;

const OPTIONS = {
  quick: { type: 'boolean' },
  json: { type: 'boolean' },
  question: { type: 'string' },
  seed: { type: 'string' },
  markdown: { type: 'string' },
  plot: { type: 'string' },
} as const;

/** Throws an Error that says what is wrong. */
export function readCommand(args: readonly string[], questions: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  const { quick = false, json = false, question, seed = '1', markdown, plot } = values;
  if (values.help) return 'help';
  if (question !== undefined && !questions.includes(question))
    throw new Error(`--question must be one of ${questions.join(', ')}`);
  if (!/^\d{1,9}$/.test(seed)) throw new Error('--seed must be a whole number');
  return { question, quick, json, seed: Number(seed), markdown, plot };
}
