/** `npm run secret` creates or updates an array's secret. */
import { runSecret } from './secret/run.ts';
import { listenForSignals } from './start/interruption.ts';

const abort = new AbortController();
const interruption = listenForSignals((signal) => {
  process.stderr.write(`\n${signal}: stopping once the open session is closed …\n`);
  abort.abort();
});
// Ignore output errors, because the session must be closed even if the process that reads the output exits.
process.stdout.on('error', () => undefined);

const code = await runSecret(process.argv.slice(2), {
  terminal: { input: process.stdin, output: process.stdout },
  errors: process.stderr,
  env: process.env,
  signal: abort.signal,
});
// If the secret was written before the signal, the command succeeded.
process.exitCode = code === 0 ? 0 : (interruption.exitCode() ?? code);
