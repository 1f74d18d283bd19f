/** `npm run trust` shows an array's certificate, and what to write in the array's secret to trust it. */
import { runTrust } from './trust/run.ts';

process.exitCode = await runTrust(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
