/**
 * Gives up after a minute: `node cancellation.ts fb1`
 *
 * When the signal is aborted, the calls to the array end at once, and the session is closed. Then `withSession` throws what the work throws.
 */
import { createFleet } from 'flashblade-sessions';

const signal = AbortSignal.timeout(60_000);
try {
  const work = createFleet().withSession(process.argv[2] ?? 'fb1', (fb) => fb.get('/file-systems'), { signal });
  console.log(await work);
} catch (error) {
  console.error(signal.aborted ? 'Cancelled. The session is closed.' : `${error}`);
  process.exitCode = 1;
}
