/** The command line of `npm run trust`. */
import { hostFault, parseHost } from '../../lib/aws/secret-format.ts';
import { parsed } from '../command-line.ts';
import type { Address } from './look.ts';

export type Command = { readonly address: Address; readonly json: boolean };

export const USAGE = `npm run trust -- <host[:port]> [--json]

Shows the certificate that an array presents, without sending it anything, and what to write into the array's secret.

  --json   for scripts
  --help

Ends with 0; 1 if there is no certificate that can be trusted; 2 for arguments.`;

const OPTIONS = { json: { type: 'boolean' } } as const;

/** Throws an Error that names the argument and the rule that it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values, positionals } = parsed(args, OPTIONS, { positionals: true });
  if (values.help) return 'help';
  const [host, ...more] = positionals;
  if (host === undefined || more.length > 0) throw new Error('say which host, and only one');
  const address = parseHost(host);
  if (address === undefined) throw new Error(`the host ${hostFault(host)}`);
  return { address, json: values.json ?? false };
}
