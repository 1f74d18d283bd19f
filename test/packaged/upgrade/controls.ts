/** Changes of today's functions that do not go together with the previous ones. Each must turn the test red. */
import { dirname } from 'node:path';
import { zipOf } from '../../kit/packaged.ts';
import { brokenCopy, type Patch } from '../../proofs/controls.ts';
import type { Code, Name } from './version.ts';

const STORE = 'lib/aws/lease-store.ts';
const ITEMS = 'lib/leases/items.ts';

/** `changed`: the functions that have the change. `complaint`: how the test fails. */
type Control = { readonly changed: readonly Name[]; readonly patches: readonly Patch[]; readonly complaint: RegExp };

const EACH_COUNTS_ALONE = { file: STORE, find: "SLOTS_KIND = 'array'", replace: "SLOTS_KIND = 'slots'" };

/** Changes with which today's version works alone, but not with the previous one. `scenario`: the one that fails. */
export const CONTROLS: Readonly<Record<string, Control & { readonly scenario: string }>> = {
  'the version of an item has another name': {
    scenario: 'renews, calls and closes',
    changed: ['login', 'logout', 'renew', 'call-array'],
    patches: [
      {
        file: STORE,
        find: 'const row = marshall(rowOf(stored),',
        replace: 'const { version: revision, ...rest } = rowOf(stored); const row = marshall({ ...rest, revision },',
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

/** Today's functions, some of them changed. */
export async function changeToday({
  changed,
  patches,
}: Control): Promise<{ code: Code; remove: () => Promise<unknown> }> {
  const copies = new Map(
    await Promise.all(changed.map(async (name) => [name, await brokenCopy(`functions/${name}.ts`, patches)] as const)),
  );
  return {
    code: (name) => {
      const path = copies.get(name)?.path;
      return path === undefined ? { zip: zipOf(name) } : { directory: dirname(path), handler: 'entry.handler' };
    },
    remove: () => Promise.all([...copies.values()].map((copy) => copy.remove())),
  };
}
