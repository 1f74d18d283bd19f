/** Applies the import rule as a step of `npm run check`. The argument is the folder to check, by default the project's. */
import { findCycles, findViolations, readSources } from './imports.ts';

const sources = readSources(process.argv[2]);
const problems = [...findViolations(sources), ...findCycles(sources).map((cycle) => `import cycle: ${cycle}`)];
if (Object.keys(sources).length === 0) problems.push('the folder has no source files to check');
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
