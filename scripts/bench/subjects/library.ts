/** This product's client, with everything that it checks. */
import { closeConnections } from '../../../lib/edges/flashblade/transport.ts';
import { loginWithHttpInfo, logoutWithHttpInfo } from '../../../lib/edges/flashblade.ts';
import { apiToken, type Trust } from '../../../lib/ground/model.ts';
import type { Client, Place } from './client.ts';

export function libraryClient(place: Place, { by }: { by: 'ca' | 'fingerprint' }): Client {
  const { host, ca, fingerprint } = place;
  const trust: Trust = by === 'ca' ? { kind: 'ca', ca } : { kind: 'fingerprints', fingerprints: [fingerprint] };
  const token = apiToken(place.apiToken);
  return {
    cycle: async (port) => {
      const { data: session } = await loginWithHttpInfo({ name: `fb${port}`, host, port, trust }, token);
      await logoutWithHttpInfo(session);
    },
    close: closeConnections,
  };
}
