/** `npm run simulator` runs a simulated FlashBlade until SIGINT or SIGTERM. Enter or SIGUSR2 shows the live sessions. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, parseCommand, requestLine, sessionLines, USAGE } from '../simulator/command.ts';
import { type Simulator, startSimulator } from '../simulator/index.ts';
import { commandOfProcess } from './command-line.ts';
import { explain } from './start/failures.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

async function start({ options, files, faults }: Command): Promise<Simulator> {
  const simulator = await startSimulator({
    ...options,
    ...(files && {
      certificate: { certificate: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') },
    }),
    onRequest: (phase, request) => {
      if (phase === 'done') say(requestLine(request));
    },
  });
  for (const fault of faults) simulator.faults.add(fault);
  return simulator;
}

function announce({ url, fingerprint, users }: Simulator, caFile: string, madeApiToken: string | undefined): void {
  say(`FlashBlade simulator at ${url}`);
  say(`CA file      ${caFile}`);
  say(`fingerprint  ${fingerprint}`);
  say(`user         ${users[0]?.username}`);
  if (madeApiToken !== undefined) say(`API token    ${madeApiToken}`);
  say('Enter or SIGUSR2: show live sessions · Ctrl-C: stop');
}

async function main(): Promise<void> {
  const command = commandOfProcess(parseCommand, USAGE);
  if ('exitCode' in command) {
    process.exitCode = command.exitCode;
    return;
  }
  const simulator = await start(command);
  const directory = mkdtempSync(join(tmpdir(), 'flashblade-simulator-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, simulator.certificate);

  const showSessions = (): boolean => say(sessionLines(simulator.sessions(), Date.now()));
  const lines = createInterface({ input: process.stdin }).on('line', showSessions);
  process.on('SIGUSR2', showSessions);
  const end = (): void => {
    lines.close();
    void simulator.stop().then(() => process.exit(0));
  };
  // The terminal and npm may both send the signal. A second signal must not interrupt the shutdown.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end);

  announce(simulator, caFile, command.madeApiToken);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
