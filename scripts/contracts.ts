/** `npm run contracts` and `npm run contracts:array` verify the contracts. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { checkComplete } from '../contracts/checks/messages.ts';
import { checkDrift } from '../contracts/checks/pact-checks.ts';
import { checkPaths, shippedSources } from '../contracts/checks/paths.ts';
import { checkVendor } from '../contracts/checks/vendor.ts';
import { isMessage } from '../contracts/messages/listeners.ts';
import {
  type AnyPact,
  committedFile,
  nameOf,
  normalText,
  PACT_FILE,
  type Pact,
  pactIn,
  readAnyPact,
  readPact,
} from '../contracts/pact-file.ts';
import type { RealArray } from '../contracts/targets/array.ts';
import { mask } from '../contracts/verification/mask.ts';
import { hasPassed, INTERRUPTED, isPassed } from '../contracts/verification/verify.ts';
import { commandOfProcess } from './command-line.ts';
import { type Command, type ReportFiles, readCommand, reportFiles, USAGE } from './contracts/arguments.ts';
import { type Broker, type BrokerPact, brokerAt, fetchPacts, publish } from './contracts/broker.ts';
import { runConsumerTests } from './contracts/consumer.ts';
import { readArray, withApiToken } from './contracts/environment.ts';
import { verifyListener, verifyOutcomes, verifyRequests } from './contracts/messages.ts';
import { sha256, thisProject } from './contracts/project.ts';
import { type Run, type Section, toJunit, toMarkdown, wordFor } from './contracts/report.ts';
import { couldNotReach, verifyArray, verifySimulator } from './contracts/runs.ts';
import { Cancelled } from './secret/prompt.ts';
import { explain } from './start/failures.ts';
import { listenForSignals } from './start/interruption.ts';

/** The API token, once it is known. */
let apiToken = '';

const masked = (text: string): string => mask(text, [apiToken]);

/** Prints a line with the API token masked. */
const say = (line: string): boolean => process.stdout.write(`${masked(line)}\n`);

type Verified = Section & { readonly pact: AnyPact; readonly sha256: string };

/** Verifies this project's own pacts. The consumer tests write them. Then every provider must satisfy them, and every check must pass. */
async function verifyOwn({ accept }: Command, signal: AbortSignal): Promise<Verified[]> {
  const { array, requests, outcomes } = await runConsumerTests(signal);
  if (accept) for (const pact of [array, requests, outcomes]) writeFileSync(fileOf(pact), normalText(pact));
  const paths = checkPaths(array, shippedSources());
  const endpoints = checkVendor(array);
  const missing = checkComplete([requests, outcomes]);
  return [
    { pact: array, ...found(await verifySimulator(array, signal), [...paths, ...endpoints]) },
    { pact: requests, ...(await verifyRequests(requests, signal)) },
    { pact: outcomes, ...found(await verifyOutcomes(outcomes, signal), missing) },
  ].map(({ pact, ...section }) => ({
    pact,
    sha256: sha256(normalText(pact)),
    ...found(section, checkDrift(pact, fileOf(pact))),
  }));
}

const fileOf = ({ consumer, provider }: AnyPact): string => committedFile(nameOf(consumer.name, provider.name));

const found = ({ verification, ...rest }: Section, findings: readonly string[]): Section => ({
  ...rest,
  verification: { ...verification, findings: [...findings, ...verification.findings] },
});

/** Verifies another team's pact: its requests against the simulator, and its messages against the functions. */
async function verifyTheirs(file: string, signal: AbortSignal): Promise<Verified[]> {
  const pact = readAnyPact(file);
  const messages = pact.interactions.filter(isMessage);
  const evidence = { pact, sha256: sha256(readFileSync(file)) };
  const sections: Verified[] = [];
  if (messages.length < pact.interactions.length || messages.length === 0) {
    const requests = { ...readPact(file), interactions: readPact(file).interactions.filter((one) => !isMessage(one)) };
    sections.push({ ...evidence, ...(await verifySimulator(requests, signal)) });
  }
  if (messages.length > 0)
    sections.push({ ...evidence, ...(await verifyListener({ ...pact, interactions: messages }, signal)) });
  return sections;
}

type ToVerify = { readonly pact: Pact; readonly sha256: string; readonly published?: BrokerPact };

/** Verifies a real array, and publishes the results if the pacts come from a broker. */
async function verifyReal(
  command: Command,
  real: RealArray,
  broker: Broker | undefined,
  signal: AbortSignal,
): Promise<Verified[]> {
  const file = command.pact ?? PACT_FILE;
  if (broker === undefined && readAnyPact(file).interactions.some(isMessage))
    throw new Error(
      'the pact has messages, which an array does not send. Verify it with `npm run contracts -- --pact`',
    );
  const pacts: ToVerify[] =
    broker === undefined
      ? [{ pact: readPact(file), sha256: sha256(readFileSync(file)) }]
      : (await fetchPacts(broker, PROVIDER, signal)).map((published) => ({
          pact: pactIn(published.text, published.name),
          sha256: sha256(published.text),
          published,
        }));
  const verified: Verified[] = [];
  for (const { pact, sha256, published } of pacts) {
    const section = await verifyArray(pact, real, { signal, say, allowWrites: command.allowWrites });
    const findings = broker && published ? await publishResult(broker, published, section, command, signal) : [];
    verified.push({ pact, sha256, ...found(section, findings) });
  }
  return verified;
}

/** The provider's name in this project's pact, and therefore in the broker. */
const PROVIDER = 'flashblade';

/** Publishes whether the array fulfills the pact. Returns findings. */
async function publishResult(
  broker: Broker,
  published: BrokerPact,
  { verification, facts }: Section,
  { branch, buildUrl }: Command,
  signal: AbortSignal,
): Promise<string[]> {
  const isVerified = verification.interactions.length > 0 && !couldNotReach(verification) && !signal.aborted;
  if (!isVerified) {
    say(`not published: ${published.name}, because it was not verified`);
    return [];
  }
  const version = facts?.purity;
  if (version === undefined) return ['nothing was published, because the array does not report its Purity version'];
  try {
    const outcome = { success: hasPassed(verification), version, branch, buildUrl, verifiedBy: thisProject().version };
    await publish(broker, PROVIDER, published, outcome, signal);
    say(`published: the result for ${published.name} and Purity ${version}`);
    return [];
  } catch (error) {
    return [explain(error)];
  }
}

/** The array to verify instead of the simulator, and the broker with its pacts. */
type Real = { readonly array: RealArray; readonly broker: Broker | undefined };

/** Runs the command. Never rejects. */
async function run(command: Command, real: Real | undefined, signal: AbortSignal): Promise<Run[]> {
  const at = new Date().toISOString();
  try {
    if (real !== undefined) {
      const verified = await verifyReal(command, real.array, real.broker, signal);
      return verified.map((one) => ({ at, ...one }));
    }
    const verified = command.pact === undefined ? verifyOwn(command, signal) : verifyTheirs(command.pact, signal);
    return (await verified).map((one) => ({ at, ...one }));
  } catch (error) {
    const findings = [signal.aborted ? INTERRUPTED : explain(error)];
    return [{ pact: undefined, at, provider: 'none', verification: { interactions: [], findings } }];
  }
}

function print({ provider, verification }: Section): void {
  const { interactions, findings, unreachable } = verification;
  for (const result of interactions) {
    say(`${wordFor(result).padEnd(6)}  ${result.title}`);
    for (const reason of [result.skipped ?? [], result.reasons].flat()) say(`        ${reason}`);
  }
  for (const finding of [unreachable ?? [], findings].flat())
    say(`${finding === INTERRUPTED ? 'stopped' : 'FAILED '} ${finding}`);
  const passed = interactions.filter(isPassed).length;
  const skipped = interactions.filter((one) => one.skipped !== undefined).length;
  const others = findings.length + (unreachable === undefined ? 0 : 1);
  say(
    `Verified ${provider}: ${passed} of ${interactions.length} interactions passed, ${skipped} skipped, ${others} other findings.`,
  );
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, masked(text));
  say(`written: ${relative(process.cwd(), file)}`);
}

/** Removes the reports of an earlier run, so that they do not look like reports of this run. */
function removeReports({ report, junit }: ReportFiles): void {
  for (const file of [report, junit]) rmSync(file, { force: true });
}

function exitCodeOf(runs: readonly Run[]): number {
  const failed = runs.filter(({ verification }) => !hasPassed(verification));
  if (failed.length === 0) return 0;
  return failed.every(({ verification }) => couldNotReach(verification)) ? 3 : 1;
}

/** Returns the exit code, as listed in USAGE. */
async function main(): Promise<number> {
  const command = commandOfProcess(readCommand, USAGE);
  if ('exitCode' in command) {
    if (command.exitCode !== 0) removeReports(reportFiles(process.argv.slice(2)));
    return command.exitCode;
  }
  removeReports(command);
  const abort = new AbortController();
  const interruption = listenForSignals((signal) => {
    say(`${signal}: closing open sessions …`);
    abort.abort();
  });
  let real: Real | undefined;
  try {
    if (command.array) {
      const broker = command.broker === undefined ? undefined : brokerAt(command.broker, process.env);
      const terminal = { input: process.stdin, output: process.stderr };
      const environment = await withApiToken(process.env, terminal, abort.signal);
      apiToken = environment['FLASHBLADE_API_TOKEN'] ?? '';
      real = { array: readArray(environment), broker };
    }
  } catch (error) {
    if (error instanceof Cancelled) return interruption.exitCode() ?? error.exitCode;
    console.error(`${explain(error)}\n\n${USAGE}`);
    return 2;
  }
  const runs = await run(command, real, abort.signal);
  for (const one of runs) print(one);
  const project = thisProject();
  write(command.report, toMarkdown(runs, project));
  write(command.junit, toJunit(runs, project));
  return interruption.exitCode() ?? exitCodeOf(runs);
}

process.exitCode = await main();
