/** Shows the certificate of an array and what to write into its secret: `npm run trust -- <host>`; `-- --help` tells the rest. */
import { closeConnections } from '../lib/edges/flashblade/transport.ts';
import { explain } from './start/failures.ts';
import { type Command, readCommand, USAGE } from './trust/arguments.ts';
import { look } from './trust/look.ts';
import { refusalOf, reportOf, trustFor } from './trust/report.ts';
import { adviceText, COMPARE, reportText } from './trust/screen.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const complain = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Returns the exit code: 0, or 1 if the functions would refuse the certificate. Throws an Error if there is none to look at. */
async function run({ address, json }: Command): Promise<number> {
  const presented = await look(address);
  const report = reportOf(address, presented, Date.now());
  const trust = trustFor(presented);
  const refusal = await refusalOf({ name: address.host, ...address, trust });
  if (json) {
    const usable = refusal === undefined && trust.kind === 'fingerprints';
    const told = { ...report, ...(usable ? { trust: { fingerprints: trust.fingerprints } } : {}), refusal };
    say(JSON.stringify(told, null, 2));
  } else {
    say(reportText(report));
    if (refusal === undefined) say(`\n${COMPARE}\n\n${adviceText(report)}`);
  }
  if (refusal !== undefined) complain(refusal);
  return refusal === undefined ? 0 : 1;
}

/** As `run`; 2 for what is wrong with arguments. */
async function main(): Promise<number> {
  let command: Command | 'help';
  try {
    command = readCommand(process.argv.slice(2));
  } catch (error) {
    complain(`${explain(error)}\n\n${USAGE}`);
    return 2;
  }
  if (command === 'help') {
    say(USAGE);
    return 0;
  }
  try {
    return await run(command);
  } catch (error) {
    complain(explain(error));
    return 1;
  } finally {
    closeConnections();
  }
}

process.exitCode = await main();
