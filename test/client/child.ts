/** Started by a test in a process with an environment of its own: one login; prints how it ended. */

import { closeConnections } from '../../lib/edges/flashblade/transport.ts';
import { login } from '../../lib/edges/flashblade.ts';
import { apiToken, type FlashBlade } from '../../lib/ground/model.ts';

const array: FlashBlade = JSON.parse(process.argv[2] ?? '');
const outcome = await login(array, apiToken('T-secret')).then(
  ({ username }) => username,
  (error: Error) => error.name,
);
process.stdout.write(outcome);
closeConnections();
