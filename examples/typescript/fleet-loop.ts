/**
 * Lists the file systems of several arrays, several arrays at a time: `node fleet-loop.ts fb1 fb2`
 *
 * LEASE_TABLE, LEASE_KEY and AWS credentials come from the environment. The program never sees a token. `closeOnSignals` closes the sessions
 * when SIGINT or SIGTERM stops the program.
 */
import { closeOnSignals, createFleet } from 'flashblade-sessions';

closeOnSignals();
const results = await createFleet().map(process.argv.slice(2), async (fb) => {
  const names: string[] = [];
  for await (const { name } of fb.list<{ name: string }>('/file-systems')) names.push(name);
  return names.join(', ');
});
for (const one of results) console.log(`${one.array}: ${one.ok ? one.value : one.error}`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
