/** Verifies the contract: `npm run contracts`, `npm run contracts:array`; `-- --help` tells the options. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { checkDrift } from '../contracts/checks/drift.ts';
import { checkOpenApi } from '../contracts/checks/openapi.ts';
import { checkPaths, shippedSources } from '../contracts/checks/paths.ts';
import { normalText, PACT_FILE, type Pact, readPact } from '../contracts/pact-file.ts';
import type { RealArray } from '../contracts/targets/array.ts';
import { mask } from '../contracts/verification/mask.ts';
import { hasPassed } from '../contracts/verification/verify.ts';
import { type Command, readCommand, USAGE } from './contracts/arguments.ts';
import { runConsumerTests } from './contracts/consumer.ts';
import { readArray } from './contracts/environment.ts';
import { type Run, type Section, toJunit, toMarkdown } from './contracts/report.ts';
import { verifyArray, verifySimulator } from './contracts/runs.ts';
import { listenForSignals } from './start/interruption.ts';

/** Nothing that is printed or written holds the API token, whoever put it there. */
const say = (line: string): boolean =>
  process.stdout.write(`${mask(line, [process.env['FLASHBLADE_API_TOKEN'] ?? ''])}\n`);

/** Our own pact: written by the consumer tests, then held against everything that it must agree with. */
async function ownPact({ accept }: Command, signal: AbortSignal): Promise<{ pact: Pact; findings: string[] }> {
  const pact = await runConsumerTests(signal);
  if (accept) writeFileSync(PACT_FILE, normalText(pact));
  return {
    pact,
    findings: [...checkDrift(pact, PACT_FILE), ...checkPaths(pact, shippedSources()), ...(await checkOpenApi(pact))],
  };
}

/** `real`: the array to verify in the place of the simulator. Never rejects. */
async function run(command: Command, real: RealArray | undefined, signal: AbortSignal): Promise<Run> {
  const at = new Date().toISOString();
  try {
    if (real !== undefined) {
      const pact = readPact(command.pact ?? PACT_FILE);
      return { pact, at, ...(await verifyArray(pact, real, { signal, say })) };
    }
    const { pact, findings } =
      command.pact === undefined ? await ownPact(command, signal) : { pact: readPact(command.pact), findings: [] };
    const { provider, verification } = await verifySimulator(pact, signal);
    return { pact, at, provider, verification: { ...verification, findings: [...findings, ...verification.findings] } };
  } catch (error) {
    const findings = [error instanceof Error ? error.message : 'an unexpected error'];
    return { pact: undefined, at, provider: 'nobody', verification: { interactions: [], findings } };
  }
}

function tell({ provider, verification }: Section): void {
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

/** Returns the exit code: 0 if everything holds, 1 if not, 2 for arguments or environment, 130 or 143 after a signal. */
async function main(): Promise<number> {
  let command: Command;
  let real: RealArray | undefined;
  try {
    command = readCommand(process.argv.slice(2));
    real = command.array && !command.help ? readArray(process.env) : undefined;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'invalid arguments'}\n\n${USAGE}\n`);
    return 2;
  }
  if (command.help) {
    say(USAGE);
    return 0;
  }
  const abort = new AbortController();
  const interruption = listenForSignals((signal) => {
    say(`${signal}: closing what is open …`);
    abort.abort();
  });
  const result = await run(command, real, abort.signal);
  tell(result);
  write(command.report, toMarkdown(result));
  write(command.junit, toJunit(result));
  return interruption.exitCode() ?? (hasPassed(result.verification) ? 0 : 1);
}

process.exitCode = await main();
