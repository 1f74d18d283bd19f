/** Parses the arguments of `npm run leases`. */
import { arrayName, check, storedId } from '../../lib/core/validation.ts';
import { parsed } from '../command-line.ts';

export type Command = { readonly json: boolean } & (
  | { readonly do: 'list'; readonly array?: string }
  | { readonly do: 'show' | 'close'; readonly leaseId: string }
  | { readonly do: 'close'; readonly array: string }
);

export const USAGE = `npm run leases -- <command> [--json]

Lists, shows and closes leases. AWS credentials, region, LEASE_TABLE and LEASE_KEY come from the environment.

  list [--array <name>]  list leases that have not ended, and logins with an unknown outcome (SUSPECT)
  show <lease id>        show the ledger's record of a lease, without the token
  close <lease id>       log out now, even if the lease is in use
  close --array <name>   close all leases on an array

  --json                 print JSON
  --help

Exit codes: 0 on success, 1 on failure, 2 for invalid arguments or environment.`;

const OPTIONS = { json: { type: 'boolean' }, array: { type: 'string' } } as const;

/** Throws an Error that names the argument and the rule it breaks. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values, positionals } = parsed(args, OPTIONS, { positionals: true });
  const { help = false, json = false, array } = values;
  if (help) return 'help';
  const [what, leaseId, ...more] = positionals;
  if (more.length > 0) throw new Error('too many arguments');
  if (array !== undefined) check(arrayName, array, 'REQUEST_INVALID', '--array');
  if (what === 'list' && leaseId === undefined) return { do: what, json, ...(array === undefined ? {} : { array }) };
  if (what === 'close' && leaseId === undefined && array !== undefined) return { do: what, json, array };
  if ((what === 'show' || what === 'close') && leaseId !== undefined && array === undefined) {
    return { do: what, json, leaseId: check(storedId, leaseId, 'REQUEST_INVALID', 'lease id') };
  }
  throw new Error('use list, show <lease id>, close <lease id> or close --array <name>');
}
