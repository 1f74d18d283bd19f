/** Writes or updates an array's secret: `npm run secret -- <array>`; `-- --help` explains the rest. */
import { runSecret } from './secret/run.ts';
import { listenForSignals } from './start/interruption.ts';

const abort = new AbortController();
const interruption = listenForSignals((signal) => {
  process.stderr.write(`\n${signal}: ending; a session that is open is closed first …\n`);
  abort.abort();
});
// The reader may go away; a session must be closed all the same.
process.stdout.on('error', () => undefined);

const code = await runSecret(process.argv.slice(2), {
  terminal: { input: process.stdin, output: process.stdout },
  errors: process.stderr,
  env: process.env,
  signal: abort.signal,
});
// After a signal something may have been written already: then it succeeded.
process.exitCode = code === 0 ? 0 : (interruption.exitCode() ?? code);
