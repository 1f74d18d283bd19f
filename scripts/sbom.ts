/** Writes what the functions' bundles are made of, and its licenses: `npm run sbom`; `-- --help` explains the rest. */
import { runSbom } from './supply/run.ts';

process.exitCode = await runSbom(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
