/** `npm run bench` compares the product's speed with baselines on the same machine. */
import { commandOfProcess } from '../scripts/command-line.ts';
import { type Command, readCommand, usage } from './arguments.ts';
import { check } from './questions/check.ts';
import { cold } from './questions/cold.ts';
import { fleet } from './questions/fleet.ts';
import { fresh } from './questions/fresh.ts';
import { ledger } from './questions/ledger.ts';
import { overhead } from './questions/overhead.ts';
import { warm } from './questions/warm.ts';
import { machine, markdown, type Question, type Report } from './report.ts';

const QUESTIONS: readonly Question[] = [warm, fresh, cold, overhead, fleet, check, ledger];
const NAMES = QUESTIONS.map(({ name }) => name);

async function ask({ question, quick }: Command): Promise<Report> {
  const report = { machine: machine(), answers: [] as Report['answers'][number][] };
  for (const { name, title, ask } of QUESTIONS) {
    if (question !== undefined && question !== name) continue;
    process.stderr.write(`${name} …\n`);
    report.answers.push({ name, title, ...(await ask(quick)) });
  }
  return report;
}

const command = commandOfProcess((args) => readCommand(args, NAMES), usage(NAMES));
if ('exitCode' in command) process.exitCode = command.exitCode;
else {
  const report = await ask(command);
  console.log(command.json ? JSON.stringify(report, null, 2) : markdown(report));
}
