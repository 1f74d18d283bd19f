/** The product's own functions, as the consumer tests call them: with the real client, and with the ledger, the seal and the secret in memory. */
import { apiToken, type FlashBlade } from '../../lib/core/model.ts';
import {
  apiVersionsWithHttpInfo,
  loginWithHttpInfo,
  logoutWithHttpInfo,
  request,
} from '../../lib/flashblade/client.ts';
import { checkArray } from '../../lib/fleet/check-array.ts';
import { openSession } from '../../lib/leases/open.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { renewLease } from '../../lib/leases/renew.ts';
import { world } from '../../test/kit/memory/world.ts';
import { API_TOKEN, AUTH_TOKEN, type Reply, type Scripted, type Step } from './tls-front.ts';

export const USERNAME = 'pureuser';
/** When the fleet is checked: the clock stands still. */
export const NOW_MS = world().now();
const DAY_MS = 86_400_000;
export const TOKEN_DAYS = 5;
export const TOKEN_ENDS_AT_MS = NOW_MS + TOKEN_DAYS * DAY_MS;
/** An idle timeout that differs from ARRAY_IDLE_SECONDS, so that the check reports it. */
export const IDLE_MS = 3_600_000;

/** The array's own order says nothing about which version is the newest. */
export const VERSIONS = { versions: ['1.12', '2.9', '2.26', '2.10', '2.3'] };

/** A script's steps, as an array responds to them. */
export const loggedIn = (authToken: string): Scripted => [
  'POST /api/login',
  { status: 200, headers: { 'x-auth-token': authToken }, body: { username: USERNAME } },
];
export const LOGIN = loggedIn(AUTH_TOKEN);
export const LOGOUT: Scripted = ['POST /api/logout', { status: 200 }];
export const LIST_VERSIONS: Scripted = ['GET /api/api_version', { status: 200, body: VERSIONS }];
export const readArray = (reply: Reply): Scripted => ['GET /api/2.26/arrays', reply];

const NO_ITEMS: Reply = { status: 200, body: { items: [] } };
export const OWN_SESSION = { user: USERNAME, user_interface: 'REST', start_time: NOW_MS, end_time: 0 };

/** Everything that the check of an array sends, in order. */
const CHECK = {
  versions: LIST_VERSIONS,
  login: LOGIN,
  arrays: readArray(NO_ITEMS),
  'admins/api-tokens': [`GET /api/2.26/admins/api-tokens?admin_names=${USERNAME}`, NO_ITEMS],
  sessions: ['GET /api/2.26/sessions?filter=end_time%3D0&limit=1000', { status: 200, body: { items: [OWN_SESSION] } }],
  logout: LOGOUT,
} satisfies Record<string, Scripted>;

/** The script of a fleet check in which one response comes from elsewhere. */
export const checkScript = (part: keyof typeof CHECK, step: Step | Reply): Step[] =>
  Object.entries(CHECK).map(([name, [line, reply]]) =>
    name !== part ? [line, reply] : typeof step === 'object' && 'status' in step ? [line, step] : step,
  );

/** Ports for one array. Their clock stands still, so the client gets no deadline, and the check sees no certificate. */
function portsFor(array: FlashBlade): { readonly ports: Ports; readonly deadline: number } {
  const w = world();
  const timeless = <Options extends { readonly deadline?: number | undefined }>({ deadline: _, ...rest }: Options) =>
    rest;
  const ports: Ports = {
    ...w.ports,
    secrets: { ...w.ports.secrets, read: async () => ({ array, apiToken: apiToken(API_TOKEN), versionId: '1' }) },
    flashblade: {
      login: (of, token, options) => loginWithHttpInfo(of, token, timeless(options)),
      logout: (session, options) => logoutWithHttpInfo(session, timeless(options)),
      apiVersions: async (of, options) => {
        const { certificateEndsAt: _, ...versions } = await apiVersionsWithHttpInfo(of, timeless(options));
        return versions;
      },
      request: (session, call, options) => request(session, call, timeless(options)),
    },
  };
  return { ports, deadline: NOW_MS + 60_000 };
}

/** Opens a session under a lease, and renews the lease. */
export async function renew(array: FlashBlade) {
  const { ports, deadline } = portsFor(array);
  const { expiresAt, leaseId } = await openSession(
    ports,
    { array: 'fb1', leaseId: 'job-1', leaseSeconds: 900 },
    deadline,
  );
  return renewLease(ports, { leaseId, expiresAt: expiresAt + 900 }, deadline);
}

export function checkFleet(array: FlashBlade) {
  const { ports, deadline } = portsFor(array);
  return checkArray(ports, 'fb1', { pending: [], readAt: Math.floor(NOW_MS / 1000) }, deadline);
}
