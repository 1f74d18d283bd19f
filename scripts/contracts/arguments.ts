/** Parses the arguments of `npm run contracts`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../build.ts';
import { parsed } from '../command-line.ts';

export type ReportFiles = { readonly report: string; readonly junit: string };

export type Command = ReportFiles & {
  /** If true, verifies the real array that the environment variables describe. */
  readonly array: boolean;
  /** If true, replaces the committed pacts. */
  readonly accept: boolean;
  /** The pact file to verify. If set, the consumer tests do not run. */
  readonly pact?: string;
  /** If true, sends requests that may change the array. */
  readonly allowWrites: boolean;
  /** URL of the Pact Broker whose pacts are verified, and to which the results are published. */
  readonly broker?: string;
  /** The branch of the provider version, and the URL of the CI run, for the broker. */
  readonly branch?: string;
  readonly buildUrl?: string;
};

export const USAGE = `npm run contracts -- [options]          run the consumer tests and checks, then verify the simulator and the functions
npm run contracts:array -- [options]    verify the real array that these environment variables describe:
                                        FLASHBLADE_HOST (DNS name or address, optionally with :port),
                                        FLASHBLADE_USERNAME (the owner of the API token), either
                                        FLASHBLADE_CA_FILE (PEM) or FLASHBLADE_FINGERPRINT (SHA-256, up to two, comma-separated),
                                        and FLASHBLADE_API_TOKEN (if not set: from a pipe, or from a hidden prompt)

  --accept          replace the committed pacts with those from the consumer tests
  --pact <file>     verify this pact file; skip the consumer tests
  --allow-writes    with a real array: also send the pact's requests that may change the array
  --broker <url>    with a real array: verify the pacts for the provider flashblade in this Pact Broker, and publish the results;
                    credentials: PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD
  --branch <name>   with --broker: publish the results for this branch of the provider
  --build-url <url> with --broker: publish the results with the URL of the CI run
  --report <file>   Markdown report; default: dist/contracts/report.md, with a real array: dist/contracts/array.md
  --junit <file>    JUnit XML report; default: dist/contracts/junit.xml, with a real array: dist/contracts/array.xml
  --help

Exit codes: 0 passed, 1 failed, 2 invalid arguments or environment, 3 array unreachable or not trusted, 130 or 143 interrupted`;

const OPTIONS = {
  array: { type: 'boolean', default: false },
  accept: { type: 'boolean', default: false },
  pact: { type: 'string' },
  'allow-writes': { type: 'boolean', default: false },
  broker: { type: 'string' },
  branch: { type: 'string' },
  'build-url': { type: 'string' },
  report: { type: 'string' },
  junit: { type: 'string' },
} as const;

/** Throws an Error that names the option and the rule it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  if (values.accept && (values.array || values.pact !== undefined)) {
    throw new Error('--accept cannot be combined with --pact or a real array');
  }
  const { 'allow-writes': allowWrites, 'build-url': buildUrl, broker, branch, ...rest } = values;
  if (allowWrites && !values.array) throw new Error('--allow-writes applies only to a real array');
  if (broker !== undefined && !values.array)
    throw new Error('--broker applies only to a real array. Use npm run contracts:array');
  if (broker !== undefined && values.pact !== undefined) throw new Error('--broker cannot be combined with --pact');
  if (broker === undefined && (branch !== undefined || buildUrl !== undefined))
    throw new Error('--branch and --build-url apply only with --broker');
  const published = { ...(broker && { broker }), ...(branch && { branch }), ...(buildUrl && { buildUrl }) };
  return { ...rest, allowWrites, ...published, ...reportFiles(args) };
}

/** Returns the files that the command writes. Works even if the other arguments are invalid. */
export function reportFiles(args: readonly string[]): ReportFiles {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: false });
  const [markdown, xml] = values.array === true ? ['array.md', 'array.xml'] : ['report.md', 'junit.xml'];
  return {
    report: typeof values.report === 'string' ? values.report : resolve(ROOT, 'dist/contracts', markdown),
    junit: typeof values.junit === 'string' ? values.junit : resolve(ROOT, 'dist/contracts', xml),
  };
}
