/** Applies the prose rule as a step of `npm run check`. The arguments are the files to check, by default all that are listed here. */
import { execFileSync } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';
import { checkProse } from './prose.ts';

/** All but what programs write, and the code of the tests. */
const PATHS = [
  '*.md',
  '*.ts',
  '*.mjs',
  '*.cjs',
  '*.yml',
  ':!contracts/pacts',
  ':!test/*.ts',
  ':!test/*.mjs',
  ':!test/*.cjs',
];

const named = process.argv.slice(2).map((file) => relative(ROOT, resolve(file)));
const tracked = (): string[] =>
  execFileSync('git', ['ls-files', '-z', '--', ...PATHS], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);

const files = named.length > 0 ? named : tracked();
const faults = checkProse(ROOT, files);
if (files.length === 0) faults.push('there are no files to check');
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
