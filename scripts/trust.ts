/** Shows the certificate of an array and what to write into its secret: `npm run trust -- <host>`; `-- --help` explains the rest. */
import { runTrust } from './trust/run.ts';

process.exitCode = await runTrust(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
