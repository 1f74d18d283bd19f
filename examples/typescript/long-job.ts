/**
 * Watches an array for two hours in one session, whose lease is renewed meanwhile: `node long-job.ts fb1`
 *
 * If the program dies, the lease ends after ten minutes at the latest, and the sweeper closes the session.
 */
import { setTimeout } from 'node:timers/promises';
import { closeOnSignals, createFleet, type FleetSession } from 'flashblade-sessions';

closeOnSignals();
const watch = async (fb: FleetSession) => {
  for (let minutes = 0; minutes < 120; minutes += 1) {
    console.log(JSON.stringify(await fb.get('/arrays')));
    await setTimeout(60_000);
  }
};
await createFleet().withSession(process.argv[2] ?? 'fb1', watch, { leaseSeconds: 600, renew: 'auto' });
