/**
 * Makes one call on one array, without AWS: `HOST=fb1.example.com API_TOKEN=… FINGERPRINT=… node one-call.ts`
 *
 * `await using` closes the session at the end of the program, even after an error. `npm run trust -- <host>` prints the fingerprint.
 */
import { connect } from 'flashblade-sessions/array';

const { HOST: host = '', PORT = '443', API_TOKEN: apiToken = '', FINGERPRINT = '' } = process.env;
const trust = { kind: 'fingerprints', fingerprints: [FINGERPRINT] } as const;
await using fb = await connect({ host, port: Number(PORT), apiToken, trust });
const { items } = await fb.get<{ items: { name: string }[] }>('/arrays');
console.log(`${fb.username} is logged in to ${items[0]?.name}`);
