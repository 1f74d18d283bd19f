/** Started by a test in a process with its own environment: one login; prints the outcome. */

import { apiToken, type FlashBlade } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';

const array: FlashBlade = JSON.parse(process.argv[2] ?? '');
const outcome = await login(array, apiToken('T-secret')).then(
  ({ username }) => username,
  (error: Error) => error.name,
);
process.stdout.write(outcome);
closeConnections();
