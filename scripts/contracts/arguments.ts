/** The command line of `npm run contracts`. */
import { resolve } from 'node:path';
import { ROOT } from '../build.ts';
import { parsed } from '../command-line.ts';

export type Command = {
  /** Against a real array, which the environment names. */
  readonly array: boolean;
  /** Writes the committed pact again. */
  readonly accept: boolean;
  /** Another pact file; then the consumer tests do not run. */
  readonly pact?: string;
  readonly report: string;
  readonly junit: string;
};

export const USAGE = `npm run contracts -- [options]          consumer tests, checks, verification of simulator and functions
npm run contracts:array -- [options]    verification of a real array, named by the environment:
                                        FLASHBLADE_HOST (DNS name or address, with or without :port),
                                        FLASHBLADE_API_TOKEN, FLASHBLADE_USERNAME (whose API token it is) and
                                        FLASHBLADE_CA_FILE (PEM) or FLASHBLADE_FINGERPRINT (SHA-256, one or two by comma)

  --accept          take what the consumer tests say for the committed pacts
  --pact <file>     verify this pact, and run no consumer tests
  --report <file>   Markdown, default dist/contracts/report.md
  --junit <file>    JUnit XML, default dist/contracts/junit.xml
  --help`;

const OPTIONS = {
  array: { type: 'boolean', default: false },
  accept: { type: 'boolean', default: false },
  pact: { type: 'string' },
  report: { type: 'string', default: resolve(ROOT, 'dist/contracts/report.md') },
  junit: { type: 'string', default: resolve(ROOT, 'dist/contracts/junit.xml') },
} as const;

/** Throws an Error that names the option and the rule that it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  if (values.accept && (values.array || values.pact !== undefined)) {
    throw new Error('--accept goes with the consumer tests: neither with --pact nor with a real array');
  }
  return values;
}
