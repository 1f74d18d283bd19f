/** `npm start` walks through a session's lifecycle, step by step. */
import { commandOfProcess } from './command-line.ts';
import { type Command, readCommand, USAGE } from './start/arguments.ts';
import { explain } from './start/failures.ts';
import { closeRemaining } from './start/functions.ts';
import { type Interruption, listenForSignals } from './start/interruption.ts';
import { showOneSession } from './start/life.ts';
import { createScreen, type Screen, type Step } from './start/screen.ts';
import { packageNow, surround } from './start/surroundings.ts';
import { showUnattended } from './start/unattended.ts';

async function show(command: Command, screen: Screen, interruption: Interruption): Promise<void> {
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  screen.row("flashblade-sessions: a session's lifecycle", ['ms', 'AWS', 'array']);
  const packaged =
    command.packaged ??
    (await screen.step('   Building and packaging the functions (a few seconds)', () =>
      packageNow(stack, interruption.throwIfInterrupted),
    ));
  interruption.throwIfInterrupted();
  const surroundings = await screen.step('   Starting the array, AWS stand-ins and the functions', (say) =>
    surround(command, packaged, stack, say),
  );
  stack.defer(() => closeRemaining(surroundings.functions, screen));
  const { calls, array } = surroundings;

  const step: Step = (title, work) => {
    interruption.throwIfInterrupted();
    return screen.step(title, work, calls.counts);
  };
  await showOneSession(surroundings, step);
  const simulated = 'simulator' in array;
  if (simulated) await showUnattended(surroundings, array, step);
  const total = await calls.counts();
  const title = `${simulated ? '15' : '9 '} Total`;
  screen.row(title, [Math.round(performance.now() - startedAt), total.aws, total.array]);
  screen.line(`   AWS calls: ${calls.byService().join(', ')}; array calls: ${total.array}`);
  const ended = simulated ? 'no array has a live session' : `the session on ${array.name} has ended`;
  screen.line(`Every step succeeded, and ${ended}.`, 'green');
}

/** Returns the exit code: 0 if every step succeeded, 1 if not, 2 for invalid arguments, 130 or 143 after a signal. */
async function main(): Promise<number> {
  const screen = createScreen(process.stdout, () => performance.now());
  const command = commandOfProcess(readCommand, USAGE);
  if ('exitCode' in command) return command.exitCode;
  const interruption = listenForSignals((signal) => screen.line(`${signal}: closing open sessions …`));
  try {
    await show(command, screen, interruption);
    return interruption.exitCode() ?? 0;
  } catch (error) {
    if (interruption.exitCode() === undefined) screen.line(`FAILED  ${explain(error)}`, 'red');
    return interruption.exitCode() ?? 1;
  }
}

process.exitCode = await main();
