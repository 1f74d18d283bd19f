/** The command line of `npm start`: arguments in, the array to show a session on, or a complaint, out. */
import { readFileSync } from 'node:fs';
import { hostFault, parseSecret } from '../../lib/aws/secret-format.ts';
import { arrayName, check } from '../../lib/core/validation.ts';
import { parsed } from '../command-line.ts';

export type Command = {
  /** The array's name in the fleet. */
  readonly name: string;
  /** JSON text of a real array's secret. Absent: a simulated array. */
  readonly secret?: string;
  /** Directory that `npm run package` filled. Absent: build and package now. */
  readonly packaged?: string;
};

export const USAGE = `npm start -- [options]

Shows the life of a session step by step. Without options: on a simulated FlashBlade, and then what happens unattended:
an event, a killed login, the sweeper, a fleet with a dead array. AWS is always simulated, on loopback.

  --secret-file <file>  on a real array: a JSON file as its secret in AWS Secrets Manager,
                        { "host": "fb.example.com", "apiToken": "T-…", "trust": { "ca": "-----BEGIN CERTIFICATE-----…" } }
                        trust: ca, fingerprints (a list), or absent for the public authorities
  --host <host[:port]>  instead of the secret file's host
  --array <name>        the array's name in the fleet, default fb1
  --packaged <dir>      functions as \`npm run package\` leaves them in .serverless; default: built and packaged now
  --help`;

const OPTIONS = {
  array: { type: 'string' },
  host: { type: 'string' },
  packaged: { type: 'string' },
  'secret-file': { type: 'string' },
} as const;

/** Throws an Error that names the argument and the rule that it breaks, never a value. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  const { array = 'fb1', host, packaged, 'secret-file': file } = values;
  const name = check(arrayName, array, 'REQUEST_INVALID', '--array');
  const fault = host === undefined ? undefined : hostFault(host);
  if (fault !== undefined) throw new Error(`--host ${fault}`);
  if (host !== undefined && file === undefined)
    throw new Error('--host needs --secret-file: the API token is in there');
  return {
    name,
    ...(packaged !== undefined && { packaged }),
    ...(file !== undefined && { secret: readSecret(name, file, host) }),
  };
}

function readSecret(name: string, file: string, host: string | undefined): string {
  const fields = readJson(file);
  if (host === undefined && !('host' in fields))
    throw new Error('--host is missing: give it, or "host" in the secret file');
  const secret = JSON.stringify({ ...fields, ...(host !== undefined && { host }) });
  parseSecret(name, 'in --secret-file', { SecretString: secret });
  return secret;
}

function readJson(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error('--secret-file must be a file that can be read');
  }
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null) return value;
  throw new Error('--secret-file must hold a JSON object');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error quotes the text.
    return undefined;
  }
}
