/** Started by a test as a process: one login and its logout. It ends only because nothing is left to do. */

import { apiToken } from '../../../lib/core/model.ts';
import { login, logout } from '../../../lib/flashblade/client.ts';

const session = await login(JSON.parse(process.argv[2] ?? ''), apiToken('T-secret'));
await logout(session);
const doneAt = performance.now();
process.once('exit', () => {
  const laterMs = performance.now() - doneAt;
  process.stdout.write(JSON.stringify({ username: session.username, laterMs }));
});
