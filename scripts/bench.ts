/** How fast it is, against what the machine can do: `npm run bench`; `-- --help` tells the rest. */
import { writeFile } from 'node:fs/promises';
import { type Command, readCommand, usage } from './bench/arguments.ts';
import { machine } from './bench/machine.ts';
import { plot } from './bench/plot.ts';
import { QUESTIONS } from './bench/questions.ts';
import { type Answered, markdown, type Report, text } from './bench/report.ts';
import { commandOfProcess } from './command-line.ts';

const NAMES = QUESTIONS.map(({ name }) => name);

/** Asks one question after the other; says on stderr which, as each takes a while. */
async function ask({ question: wanted, quick, seed }: Command): Promise<Report> {
  const header = { ...machine(), seed: `${seed}${quick ? ' (quick: the numbers mean nothing)' : ''}` };
  const answered: Answered[] = [];
  for (const { name, title, ask } of QUESTIONS) {
    if (wanted !== undefined && wanted !== name) continue;
    process.stderr.write(`${name} …\n`);
    answered.push({ question: { name, title }, answer: await ask({ quick, seed }) });
  }
  return { header, answered };
}

async function main(): Promise<number> {
  const command = commandOfProcess((args) => readCommand(args, NAMES), usage(NAMES));
  if ('exitCode' in command) return command.exitCode;
  const report = await ask(command);
  console.log(command.json ? JSON.stringify(report, null, 2) : text(report));
  const { header } = report;
  if (command.markdown !== undefined) await writeFile(command.markdown, markdown(report));
  if (command.plot !== undefined) {
    await writeFile(command.plot, plot(report.answered, `${header['machine']}; Node ${header['node']}`));
  }
  return 0;
}

process.exitCode = await main();
