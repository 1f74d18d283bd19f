/** `npm run test:aws` runs the tests in this folder, if moto is installed. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { commandOfProcess, parsed } from '../../scripts/command-line.ts';
import { INSTALL, motoCommand } from './moto.ts';

const USAGE = `npm run test:aws [-- <files>]

Runs the packaged functions and the ledger against moto, an independent implementation of AWS that enforces IAM. Without moto, the tests
are skipped. Install it with: ${INSTALL}

  --help

Environment:
  MOTO_SERVER   the command that starts moto's server. Default: moto_server
  REQUIRE_MOTO  if set, the tests fail without moto

Exit codes: 0 if the tests passed or were skipped, 1 if one failed, 2 for invalid arguments.`;

const ROOT = resolve(import.meta.dirname, '../..');

function run(files: readonly string[]): number {
  if (motoCommand(process.env) === undefined) {
    const required = Boolean(process.env['REQUIRE_MOTO']);
    console.log(`${required ? 'failed' : 'skipped'}: moto_server is not installed. Install it with: ${INSTALL}`);
    return required ? 1 : 0;
  }
  const vitest = resolve(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', resolve(import.meta.dirname, 'vitest.config.ts'), ...files];
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 130;
}

const command = commandOfProcess((args) => {
  const { values, positionals } = parsed(args, {}, { positionals: true });
  return values.help ? 'help' : { files: positionals };
}, USAGE);
process.exitCode = 'exitCode' in command ? command.exitCode : run(command.files);
