/** Parses the arguments of `npm run bench`. */
import { parsed } from '../scripts/command-line.ts';

export type Command = { readonly question: string | undefined; readonly quick: boolean; readonly json: boolean };

export const usage = (questions: readonly string[]): string => `npm run bench -- [options]

Measures the product against baselines in interleaved rounds, over loopback. Prints Markdown.

  --question <name>  one of ${questions.join(', ')}; default: all
  --quick            run only a few rounds, to check that the benchmark works
  --json             print JSON instead of Markdown
  --help`;

const OPTIONS = { question: { type: 'string' }, quick: { type: 'boolean' }, json: { type: 'boolean' } } as const;

/** Throws an Error that names the option and the rule it breaks. */
export function readCommand(args: readonly string[], questions: readonly string[]): Command | 'help' {
  const { help, question, quick = false, json = false } = parsed(args, OPTIONS).values;
  if (help) return 'help';
  if (question !== undefined && !questions.includes(question)) {
    throw new Error(`--question must be one of ${questions.join(', ')}`);
  }
  return { question, quick, json };
}
