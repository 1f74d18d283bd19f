/** Writes what the functions' bundles are made of, and its licences: `npm run sbom`; `-- --help` tells the rest. */
import { runSbom } from './supply/run.ts';

process.exitCode = await runSbom(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
