/** Started by a test as a process: one login and its logout, and no end but that there is nothing left to do. */
import { login, logout } from '../../lib/edges/flashblade.ts';
import { apiToken } from '../../lib/ground/model.ts';

const session = await login(JSON.parse(process.argv[2] ?? ''), apiToken('T-secret'));
await logout(session);
const doneAt = performance.now();
process.once('exit', () => {
  const laterMs = performance.now() - doneAt;
  process.stdout.write(JSON.stringify({ username: session.username, laterMs }));
});
