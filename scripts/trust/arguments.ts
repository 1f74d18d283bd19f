/** Parses the arguments of `npm run trust`. */
import { hostFault, parseHost } from '../../lib/core/host.ts';
import { parsed } from '../command-line.ts';
import type { Address } from './look.ts';

export type Command = { readonly address: Address; readonly json: boolean };

export const USAGE = `npm run trust -- <host[:port]> [--json]

Shows the certificate that an array presents, and what to add to the array's secret. Sends no application data to the array.

  --json   print JSON
  --help

Exit codes: 0 on success, 1 if there is no certificate that the functions would accept, 2 for invalid arguments.`;

const OPTIONS = { json: { type: 'boolean' } } as const;

/** Throws an Error that names the argument and the rule it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values, positionals } = parsed(args, OPTIONS, { positionals: true });
  if (values.help) return 'help';
  const [host, ...more] = positionals;
  if (host === undefined || more.length > 0) throw new Error('pass exactly one host');
  const address = parseHost(host);
  if (address === undefined) throw new Error(`the host ${hostFault(host)}`);
  return { address, json: values.json ?? false };
}
