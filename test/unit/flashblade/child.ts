/**
 * Started by a test as a process: one login and, unless it fails, its logout. Arguments: the array, and optionally milliseconds until the
 * deadline. Prints what came of it, and how much later the process ended because nothing was left to do.
 */
import { known } from '../../../lib/core/errors.ts';
import { apiToken } from '../../../lib/core/model.ts';
import { login, logout } from '../../../lib/flashblade/client.ts';

const [array = '', limitMs] = process.argv.slice(2);
const options = limitMs === undefined ? {} : { deadline: Date.now() + Number(limitMs) };
let outcome: object;
try {
  const session = await login(JSON.parse(array), apiToken('T-secret'), options);
  await logout(session);
  outcome = { username: session.username };
} catch (error) {
  const { code, facts } = known(error);
  outcome = { code, facts };
}
const doneAt = performance.now();
process.once('exit', () => process.stdout.write(JSON.stringify({ ...outcome, laterMs: performance.now() - doneAt })));
