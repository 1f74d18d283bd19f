/** `npm run trust` shows an array's certificate and how to trust it in the array's secret. */
import { runTrust } from './trust/run.ts';

process.exitCode = await runTrust(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
