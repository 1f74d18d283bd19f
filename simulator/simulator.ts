/**
 * Simulates a FlashBlade. Runs an HTTPS server with users, sessions and injectable faults. The server implements the wire protocol as far
 * as the protocol is known.
 */
import { X509Certificate } from 'node:crypto';
import { createArray, removeUser, setUsers } from './array.ts';
import { createAuthority, selfSigned } from './certificates.ts';
import { openConnections } from './connections.ts';
import { createRequestLog, exchange } from './exchange.ts';
import { createFaults } from './faults.ts';
import { defaultUsers, type PresentedCertificate, type SimulatorOptions, settingsOf } from './options.ts';

export type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/** Starts an array that runs until you call `stop`. Every option has a default. */
export async function startSimulator(options: SimulatorOptions = {}) {
  const settings = settingsOf(options);
  const array = createArray(settings, options.users ?? defaultUsers());
  const { users, sessions } = array;
  const log = createRequestLog();
  const faults = createFaults((refuse) => connections.refuse(refuse));
  const presented = await certificateFor(options);
  let fingerprint = fingerprintOf(presented);

  const surroundings = { array, faults, onRequest: options.onRequest, note: log.add };
  const connections = await openConnections(options, presented, faults.takeForConnection, (...incoming) => {
    void exchange(surroundings, ...incoming);
  });
  const { host = '127.0.0.1' } = options;

  return {
    host,
    port: connections.port,
    url: `https://${host.includes(':') ? `[${host}]` : host}:${connections.port}`,
    /** The certificate that clients must trust, as PEM. Either the authority's certificate or the self-signed one. */
    certificate: presented.ca ?? presented.certificate,
    /** The first user's API token at startup. Empty if there is none. */
    apiToken: users.all()[0]?.apiToken ?? '',
    /** The SHA-256 fingerprint of the presented certificate, as 64 lowercase hex digits. */
    get fingerprint() {
      return fingerprint;
    },
    get users() {
      return users.all();
    },
    /** The sessions that are live by the array's clock. */
    sessions: sessions.alive,
    /** Every session since startup. Each ended session includes when and why it ended. */
    get history() {
      return sessions.all();
    },
    /** The most recent requests, without tokens. */
    requests: log.records,
    get counters() {
      return connections.counters();
    },
    setUsers: (wanted: Parameters<typeof users.set>[0]) => setUsers(array, wanted),
    /** Adds a user, or replaces the user with the same name. */
    addUser: users.add,
    removeUser: (username: string) => removeUser(array, username),
    /** Ends a session as if the array had dropped it. Returns false if no live session has this auth token. */
    endSession: (authToken: string): boolean => sessions.end(authToken, 'array'),
    faults: { add: faults.add, clear: faults.clear },
    /** Presents a different certificate to new connections. */
    swapCertificate: (next: PresentedCertificate): void => {
      connections.swapCertificate(next);
      fingerprint = fingerprintOf(next);
    },
    stop: connections.stop,
  };
}

async function certificateFor({
  certificate = 'authority',
  host = '127.0.0.1',
}: SimulatorOptions): Promise<PresentedCertificate> {
  if (typeof certificate !== 'string') return certificate;
  const addresses = [...new Set(['127.0.0.1', '::1', host])];
  if (certificate === 'self-signed') return selfSigned({ addresses });
  const authority = await createAuthority({ name: 'FlashBlade Simulator' });
  return { ...(await authority.issue({ addresses })), ca: authority.certificate };
}

const fingerprintOf = ({ certificate }: PresentedCertificate): string =>
  new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
