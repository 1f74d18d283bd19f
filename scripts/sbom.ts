/** `npm run sbom` lists the packages in the functions' bundles and their licenses. */
import { runSbom } from './supply/run.ts';

process.exitCode = await runSbom(process.argv.slice(2), { output: process.stdout, errors: process.stderr });
