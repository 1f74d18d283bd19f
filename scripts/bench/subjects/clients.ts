/** The clients by name. Loaded by need: no process carries the code of another's client. */
import type { Client, Place } from './client.ts';

export const CLIENTS = {
  'raw node:tls': async (place: Place) => (await import('./raw.ts')).rawClient(place, { resume: true }),
  'raw node:tls, never resumed': async (place: Place) => (await import('./raw.ts')).rawClient(place, { resume: false }),
  'this library': async (place: Place) => (await import('./library.ts')).libraryClient(place, { by: 'ca' }),
  'this library, fingerprint': async (place: Place) =>
    (await import('./library.ts')).libraryClient(place, { by: 'fingerprint' }),
  'node:https': async (place: Place) => (await import('./https.ts')).httpsClient(place),
  'undici dispatch': async (place: Place) => (await import('./undici.ts')).undiciClient(place),
  'global fetch': async (place: Place) => (await import('./fetch.ts')).fetchClient(place),
} satisfies Readonly<Record<string, (place: Place) => Promise<Client>>>;

export type ClientName = keyof typeof CLIENTS;
