/**
 * Opens a session on one array and lists its file systems: `node list-file-systems.ts fb1`
 *
 * The configuration (LEASE_TABLE, LEASE_KEY) and AWS credentials come from the environment. The array's host and API token come from
 * the array's secret. This program never sees a token.
 */
import {
  type ArrayRequest,
  closeOnSignals,
  compareVersions,
  isFlashBladeError,
  type Use,
  withSession,
} from 'flashblade-sessions';

type Page = {
  readonly items: readonly { readonly name: string; readonly provisioned: number }[];
  readonly continuation_token: string | null;
};

// Closes the session when SIGINT or SIGTERM stops this program.
closeOnSignals();

const [array = 'fb1'] = process.argv.slice(2);
try {
  // Closes the session whether the work succeeds or fails. 600 seconds is plenty, so there is no need to renew the lease.
  const count = await withSession(array, listFileSystems, { leaseSeconds: 600 });
  console.log(`${count} file systems on ${array}`);
} catch (error) {
  if (!isFlashBladeError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  // 75 is the conventional exit code for "try again later".
  process.exitCode = error.retryable ? 75 : 1;
}

/** Prints one line per file system. If the array drops the session in the meantime, `request` logs in again under the same lease. */
async function listFileSystems({ request, apiVersions }: Use): Promise<number> {
  const newest = [...(await apiVersions())].sort(compareVersions).at(-1);
  let count = 0;
  let query: ArrayRequest['query'] = { limit: 100 };
  for (;;) {
    const { status, body } = await request({ method: 'GET', path: `/api/${newest}/file-systems`, query });
    if (status !== 200) throw new Error(`array ${array} returned ${status}`);
    const { items, continuation_token } = body as Page;
    for (const { name, provisioned } of items) console.log(`${name} ${provisioned / 2 ** 30} GiB`);
    count += items.length;
    if (continuation_token === null) return count;
    query = { ...query, continuation_token };
  }
}
