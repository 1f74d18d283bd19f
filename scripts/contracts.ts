/** `npm run contracts` and `npm run contracts:array` verify the contracts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { checkDrift } from '../contracts/checks/drift.ts';
import { checkComplete } from '../contracts/checks/messages.ts';

import { checkPaths, shippedSources } from '../contracts/checks/paths.ts';
import { checkVendor } from '../contracts/checks/vendor.ts';
import { type AnyPact, committedFile, nameOf, normalText, PACT_FILE, readPact } from '../contracts/pact-file.ts';
import type { RealArray } from '../contracts/targets/array.ts';
import { mask } from '../contracts/verification/mask.ts';
import { hasPassed } from '../contracts/verification/verify.ts';
import { commandOfProcess } from './command-line.ts';
import { type Command, readCommand, USAGE } from './contracts/arguments.ts';
import { runConsumerTests } from './contracts/consumer.ts';
import { readArray } from './contracts/environment.ts';
import { verifyOutcomes, verifyRequests } from './contracts/messages.ts';
import { type Run, type Section, toJunit, toMarkdown } from './contracts/report.ts';
import { verifyArray, verifySimulator } from './contracts/runs.ts';
import { explain } from './start/failures.ts';
import { listenForSignals } from './start/interruption.ts';

/** Prints a line with the API token masked. */
const say = (line: string): boolean =>
  process.stdout.write(`${mask(line, [process.env['FLASHBLADE_API_TOKEN'] ?? ''])}\n`);

/** Verifies this project's own pacts. The consumer tests write them. Then every provider must satisfy them, and every check must pass. */
async function verifyOwn({ accept }: Command, signal: AbortSignal): Promise<(Section & { pact: AnyPact })[]> {
  const { array, requests, outcomes } = await runConsumerTests(signal);
  if (accept) for (const pact of [array, requests, outcomes]) writeFileSync(fileOf(pact), normalText(pact));
  const paths = checkPaths(array, shippedSources());
  const endpoints = checkVendor(array);
  const missing = checkComplete([requests, outcomes]);
  return [
    { pact: array, ...found(await verifySimulator(array, signal), [...paths, ...endpoints]) },
    { pact: requests, ...(await verifyRequests(requests, signal)) },
    { pact: outcomes, ...found(await verifyOutcomes(outcomes, signal), missing) },
  ].map(({ pact, ...section }) => ({ pact, ...found(section, checkDrift(pact, fileOf(pact))) }));
}

const fileOf = ({ consumer, provider }: AnyPact): string => committedFile(nameOf(consumer.name, provider.name));

const found = ({ provider, verification }: Section, findings: readonly string[]): Section => ({
  provider,
  verification: { ...verification, findings: [...findings, ...verification.findings] },
});

/** Runs the command. `real` is the array to verify instead of the simulator. Never rejects. */
async function run(command: Command, real: RealArray | undefined, signal: AbortSignal): Promise<Run[]> {
  const at = new Date().toISOString();
  try {
    if (real !== undefined) {
      const pact = readPact(command.pact ?? PACT_FILE);
      return [{ pact, at, ...(await verifyArray(pact, real, { signal, say })) }];
    }
    if (command.pact === undefined) return (await verifyOwn(command, signal)).map((section) => ({ at, ...section }));
    const pact = readPact(command.pact);
    return [{ pact, at, ...(await verifySimulator(pact, signal)) }];
  } catch (error) {
    const findings = [error instanceof Error ? error.message : 'an unexpected error'];
    return [{ pact: undefined, at, provider: 'none', verification: { interactions: [], findings } }];
  }
}

function print({ provider, verification }: Section): void {
  const { interactions, findings } = verification;
  const passed = interactions.filter(({ reasons }) => reasons.length === 0).length;
  for (const { title, reasons } of interactions) {
    say(`${reasons.length === 0 ? 'passed' : 'FAILED'}  ${title}`);
    for (const reason of reasons) say(`        ${reason}`);
  }
  for (const finding of findings) say(`FAILED  ${finding}`);
  say(
    `Verified ${provider}: ${passed} of ${interactions.length} interactions passed, ${findings.length} other findings.`,
  );
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, mask(text, [process.env['FLASHBLADE_API_TOKEN'] ?? '']));
  say(`written: ${relative(process.cwd(), file)}`);
}

/** Returns the exit code: 0 if everything passed, 1 if not, 2 for invalid arguments or environment, 130 or 143 after a signal. */
async function main(): Promise<number> {
  const command = commandOfProcess(readCommand, USAGE);
  if ('exitCode' in command) return command.exitCode;
  let real: RealArray | undefined;
  try {
    real = command.array ? readArray(process.env) : undefined;
  } catch (error) {
    console.error(`${explain(error)}\n\n${USAGE}`);
    return 2;
  }
  const abort = new AbortController();
  const interruption = listenForSignals((signal) => {
    say(`${signal}: closing open sessions …`);
    abort.abort();
  });
  const runs = await run(command, real, abort.signal);
  for (const one of runs) print(one);
  write(command.report, toMarkdown(runs));
  write(command.junit, toJunit(runs));
  return interruption.exitCode() ?? (runs.every(({ verification }) => hasPassed(verification)) ? 0 : 1);
}

process.exitCode = await main();
