/** Parses the arguments of `npm start`. */
import { readFileSync } from 'node:fs';
import { parseSecret } from '../../lib/aws/secret-format.ts';
import { hostFault } from '../../lib/core/host.ts';
import { jsonFault, parseJson } from '../../lib/core/json.ts';
import { arrayName, check, isObject } from '../../lib/core/validation.ts';
import { parsed } from '../command-line.ts';

export type Command = {
  /** The array name. */
  readonly name: string;
  /** The JSON text of a real array's secret. If absent, the array is simulated. */
  readonly secret?: string;
  /** The output directory of `npm run package`. If absent, the command builds and packages the functions. */
  readonly packaged?: string;
};

export const USAGE = `npm start -- [options]

Walks through a session's lifecycle on a simulated FlashBlade, step by step. Then shows unattended operation: an event, a killed
login, the sweeper, and a fleet check with an unreachable array. AWS is always simulated, on loopback.

  --secret-file <file>  show only one session, on a real array. The JSON file has the same format as an array's secret:
                        { "host": "fb.example.com", "apiToken": "T-…", "trust": { "ca": "-----BEGIN CERTIFICATE-----…" } }
                        trust: ca, fingerprints (a list), or absent for public certificate authorities
  --host <host[:port]>  overrides the host in the secret file
  --array <name>        the array name; default: fb1
  --packaged <dir>      the output of \`npm run package\`, such as .serverless; default: build and package now
  --help`;

const OPTIONS = {
  array: { type: 'string' },
  host: { type: 'string' },
  packaged: { type: 'string' },
  'secret-file': { type: 'string' },
} as const;

/** Throws an Error that names the argument and the rule it breaks, but never contains a value. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  const { array = 'fb1', host, packaged, 'secret-file': file } = values;
  const name = check(arrayName, array, 'REQUEST_INVALID', '--array');
  const fault = host === undefined ? undefined : hostFault(host);
  if (fault !== undefined) throw new Error(`--host ${fault}`);
  if (host !== undefined && file === undefined)
    throw new Error('--host requires --secret-file, which contains the API token');
  return {
    name,
    ...(packaged !== undefined && { packaged }),
    ...(file !== undefined && { secret: readSecret(name, file, host) }),
  };
}

function readSecret(name: string, file: string, host: string | undefined): string {
  const fields = readJson(file);
  if (host === undefined && !('host' in fields))
    throw new Error('the host is missing; pass --host, or add "host" to the secret file');
  const secret = JSON.stringify({ ...fields, ...(host !== undefined && { host }) });
  parseSecret(name, 'in --secret-file', { SecretString: secret });
  return secret;
}

function readJson(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error('--secret-file must be a readable file');
  }
  const value = parseJson(text);
  if (isObject(value)) return value;
  const fault = value === undefined ? `, but is not valid JSON${jsonFault(text)}` : '';
  throw new Error(`--secret-file must contain a JSON object${fault}`);
}
