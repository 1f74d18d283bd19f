/** `npm run leases` lists, shows and closes leases. */

import { createPorts } from '../lib/compose.ts';
import { readConfig } from '../lib/core/config.ts';
import { isFlashBladeError } from '../lib/core/errors.ts';
import { closeConnections } from '../lib/flashblade/pool.ts';
import { commandOfProcess } from './command-line.ts';
import { type Command, readCommand, USAGE } from './leases/arguments.ts';
import { closeArray, closeLease } from './leases/close.ts';
import { liveLines, oneLease } from './leases/read.ts';
import { closedText, itemText, table } from './leases/screen.ts';
import { explain } from './start/failures.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const complain = (text: string): boolean => process.stderr.write(`${text}\n`);
const sayJson = (value: unknown): boolean => say(JSON.stringify(value, null, 2));

/** Returns the exit code: 0 on success, or 1 if a lease could not be closed. Throws FlashBladeError. */
async function run(command: Command): Promise<number> {
  // Ignore the library's reports, because every failure is thrown or is part of the result.
  const ports = createPorts(readConfig(process.env), () => undefined);
  if (command.do === 'list') {
    const lines = await liveLines(ports, command.array);
    if (command.json) sayJson(lines);
    else say(table(lines, Date.now() / 1000));
    return 0;
  }
  if (command.do === 'show') {
    const item = await oneLease(ports, command.leaseId);
    if (command.json) sayJson(item);
    else say(itemText(item));
    return 0;
  }
  const closed =
    'leaseId' in command ? [await closeLease(ports, command.leaseId)] : await closeArray(ports, command.array);
  if (command.json) sayJson(closed);
  else say(closedText(closed));
  return closed.some((one) => 'code' in one) ? 1 : 0;
}

/** Parses the arguments and calls `run`. Returns 2 for invalid arguments or environment. */
async function main(): Promise<number> {
  const command = commandOfProcess(readCommand, USAGE);
  if ('exitCode' in command) return command.exitCode;
  try {
    return await run(command);
  } catch (error) {
    complain(explain(error));
    return isFlashBladeError(error, 'CONFIG_INVALID') ? 2 : 1;
  } finally {
    closeConnections();
  }
}

process.exitCode = await main();
