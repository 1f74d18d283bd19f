/** Changes of today's functions that do not go together with the previous ones. Each must turn the test red. */
import type { FunctionName } from '../../kit/packaged.ts';
import { brokenFunction, type Patch } from '../../proofs/controls.ts';

const STORE = 'lib/aws/lease-store.ts';
const ITEMS = 'lib/leases/items.ts';

/** `changed`: the functions that have the change. `complaint`: how the test fails. */
export type Control = {
  readonly changed: readonly FunctionName[];
  readonly patches: readonly Patch[];
  readonly complaint: RegExp;
};

const EACH_COUNTS_ALONE = { file: STORE, find: "SLOTS_KIND = 'array'", replace: "SLOTS_KIND = 'slots'" };

/** Changes with which today's version works alone, but not with the previous one. `scenario`: the one that fails. */
export const CONTROLS: Readonly<Record<string, Control & { readonly scenario: string }>> = {
  'the version of an item has another name': {
    scenario: 'renews, calls and closes',
    changed: ['login', 'logout', 'renew', 'call-array'],
    patches: [
      {
        file: STORE,
        find: 'const row = marshall(rowOf(stored, dueShards),',
        replace:
          'const { version: revision, ...rest } = rowOf(stored, dueShards); const row = marshall({ ...rest, revision },',
      },
      { file: STORE, find: "'version = :version'", replace: "'revision = :version'" },
      {
        file: STORE,
        find: 'itemOf(unmarshall(row))',
        replace: 'itemOf({ ...unmarshall(row), version: row.revision?.S })',
      },
    ],
    complaint: /AWS_UNAVAILABLE/,
  },
  'a lease has another id': {
    scenario: 'knows as released before the request',
    changed: ['login', 'logout'],
    patches: [{ file: ITEMS, find: '`lease#$', replace: '`leases#$' }],
    complaint: /resolved/,
  },
  'a token is sealed for an array without its trust': {
    scenario: 'renews, calls and closes',
    changed: ['login', 'logout', 'renew', 'call-array'],
    patches: [{ file: ITEMS, find: 'trust: trustDigest(target.trust),', replace: "trust: ''," }],
    complaint: /LEASE_ALTERED/,
  },
  'a refusal has another id': {
    scenario: 'obeys as the refusal of an API token, until the secret changes',
    changed: ['login', 'logout'],
    patches: [{ file: ITEMS, find: '`refusal#$', replace: '`refused#$' }],
    complaint: /to have a length of/,
  },
  'entries of the index are in shards by default': {
    scenario: 'sweeps when the lease has expired',
    changed: ['login', 'logout', 'renew'],
    patches: [{ file: 'lib/aws/due-partitions.ts', find: 'if (shards === 1) return WITHOUT_SHARDS;', replace: '' }],
    complaint: /to match object/,
  },
  'each version counts its own slots': {
    scenario: 'counts as sessions of the array',
    changed: ['login', 'logout'],
    patches: [EACH_COUNTS_ALONE],
    complaint: /resolved/,
  },
};

/** Changes that must show when both versions work at the same time. */
export const INTERLEAVING_CONTROLS: Readonly<Record<string, Control>> = {
  'each version at work counts its own slots': {
    changed: ['login', 'logout', 'call-array', 'renew', 'sweep-sessions'],
    patches: [EACH_COUNTS_ALONE],
    complaint: /the array had 3 sessions|#shared has the slot/,
  },
  'a version at work closes leases without a logout': {
    changed: ['logout', 'sweep-sessions'],
    patches: [{ file: 'lib/leases/close.ts', find: 'await logOut(ports, claimed, session, by.logout);', replace: '' }],
    complaint: /the ledger does not know session/,
  },
};

/** Paths of bundles with the changes, by function. */
export async function bundlesOf({ changed, patches }: Control) {
  const copies = await Promise.all(changed.map((name) => brokenFunction(name, patches)));
  return {
    bundles: Object.fromEntries(changed.map((name, n) => [name, copies[n]?.path ?? ''])),
    remove: () => Promise.all(copies.map((copy) => copy.remove())),
  };
}
