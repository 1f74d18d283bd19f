/** Parses the arguments of `npm run contracts`. */
import { resolve } from 'node:path';
import { ROOT } from '../build.ts';
import { parsed } from '../command-line.ts';

export type Command = {
  /** If true, verifies the real array that the environment variables describe. */
  readonly array: boolean;
  /** If true, replaces the committed pacts. */
  readonly accept: boolean;
  /** The pact file to verify. If set, the consumer tests do not run. */
  readonly pact?: string;
  readonly report: string;
  readonly junit: string;
};

export const USAGE = `npm run contracts -- [options]          run the consumer tests and checks, then verify the simulator and the functions
npm run contracts:array -- [options]    verify the real array that these environment variables describe:
                                        FLASHBLADE_HOST (DNS name or address, optionally with :port),
                                        FLASHBLADE_API_TOKEN, FLASHBLADE_USERNAME (the owner of the API token), and either
                                        FLASHBLADE_CA_FILE (PEM) or FLASHBLADE_FINGERPRINT (SHA-256, up to two, comma-separated)

  --accept          replace the committed pacts with those from the consumer tests
  --pact <file>     verify this pact file; skip the consumer tests
  --report <file>   Markdown report; default: dist/contracts/report.md
  --junit <file>    JUnit XML report; default: dist/contracts/junit.xml
  --help`;

const OPTIONS = {
  array: { type: 'boolean', default: false },
  accept: { type: 'boolean', default: false },
  pact: { type: 'string' },
  report: { type: 'string', default: resolve(ROOT, 'dist/contracts/report.md') },
  junit: { type: 'string', default: resolve(ROOT, 'dist/contracts/junit.xml') },
} as const;

/** Throws an Error that names the option and the rule it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  if (values.accept && (values.array || values.pact !== undefined)) {
    throw new Error('--accept cannot be combined with --pact or a real array');
  }
  return values;
}
