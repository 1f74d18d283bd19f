/** This product's client, with everything that it checks. */

import { apiToken, type Trust } from '../../../lib/core/model.ts';
import { loginWithHttpInfo, logoutWithHttpInfo } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
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
