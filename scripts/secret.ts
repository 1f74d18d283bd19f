/** Writes or updates an array's secret: `npm run secret -- <array>`; `-- --help` explains the options. */
import { runSecret } from './secret/run.ts';
import { listenForSignals } from './start/interruption.ts';

const abort = new AbortController();
const interruption = listenForSignals((signal) => {
  process.stderr.write(`\n${signal}: ending after the open session is closed …\n`);
  abort.abort();
});
// If the reader of the output ends, the session must still be closed.
process.stdout.on('error', () => undefined);

const code = await runSecret(process.argv.slice(2), {
  terminal: { input: process.stdin, output: process.stdout },
  errors: process.stderr,
  env: process.env,
  signal: abort.signal,
});
// If the secret was written before the signal, the command succeeded.
process.exitCode = code === 0 ? 0 : (interruption.exitCode() ?? code);
