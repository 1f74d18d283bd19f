/** Shows the certificate of an array and the trust for its secret: `npm run trust -- <host>`; `-- --help` explains the options. */
import { runTrust } from './trust/run.ts';

process.exitCode = await runTrust(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
