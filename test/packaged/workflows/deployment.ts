/** Workflows on the deployed product: executions whose tasks invoke the packaged functions. */
import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { canary } from '../../kit/canary.ts';
import { deploy } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { executionEnded } from '../../kit/memory/messages.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { deployed, functionOf, type Machine, readMachine, statesOf } from './machine.ts';

export type Workflows = Awaited<ReturnType<typeof deployWorkflows>>;

type RunOptions = {
  /** Runs before the state's task is invoked. `nth` counts its tries from 1. */
  readonly before?: (state: string, nth: number) => unknown;
  /** A machine that runs instead of the one in examples/step-functions. */
  readonly machine?: Machine | undefined;
};

export const API_TOKEN = canary(500);

const ACCOUNT = 'arn:aws:states:eu-central-1:123456789012:execution';
const TASKS = ['login', 'logout', 'call-array'] as const;

/** Starts everything. The fleet has no array. Everything lives until `stop`. */
export async function deployWorkflows() {
  const users = [{ username: 'pureuser', apiToken: API_TOKEN }];
  const d = await deploy({ functions: [...TASKS, 'session-events'], array: { users } });
  // Warm up: cold starts are slow on a busy machine and are not part of the test.
  await Promise.all(TASKS.map((name) => d.invoke(name, {})));
  let executions = 0;

  /** The last invocation of each function. The next one waits for it, as in a Lambda environment. */
  const last = new Map<string, Promise<unknown>>();
  function invokeInTurn(name: FunctionName, event: unknown): Promise<Outcome> {
    const outcome = Promise.resolve(last.get(name)).then(() => d.invoke(name, event));
    last.set(
      name,
      outcome.catch(() => {}),
    );
    return outcome;
  }

  /** Runs `with-session` or `fleet` to its end, without the waits between tries. */
  async function run(workflow: string, input: object, options: RunOptions = {}) {
    const { machine = readMachine(`${workflow}.asl.json`), before = () => {} } = options;
    executions += 1;
    const id = `${ACCOUNT}:${workflow}:execution-${executions}`;
    const tries = new Map<string, number>();
    const execution = await execute(machine, id, input, async (name, state, event) => {
      const nth = (tries.get(state) ?? 0) + 1;
      tries.set(state, nth);
      await before(state, nth);
      return invokeInTurn(name as FunctionName, event);
    });
    /** Tokens, or pieces of them, in what Step Functions would store. */
    return { ...execution, tokens: tokensIn(execution.stored, d.tokens()) };
  }

  /** The array recovers, and the rule on the default event bus delivers the end of the execution to session-events. */
  async function endOwner({ id, status }: { id: string; status: string }): Promise<void> {
    await d.simulator.faults.clear();
    const again = await d.deliver([executionEnded(id, status, `end-of-${id.split(':').at(-1)}`)]);
    if (again.length > 0) throw new Error('The end of the execution must be delivered again');
  }

  return { ...d, run, endOwner };
}

/** Invokes a function for a state. */
type Invoke = (functionName: string, state: string, event: unknown) => Promise<Outcome>;

/** Runs a state machine to its end, without the waits between tries. */
export async function execute(machine: Machine, id: string, input: object, invoke: Invoke) {
  const handlers = statesOf(machine, 'Task').map(([name, task]) => [
    name,
    async (event: unknown) => resultOf(await invoke(functionOf(task) ?? '', name, event)),
  ]);
  const running = new StateMachine(deployed(machine) as unknown as StateMachineDefinition).run(
    JSON.parse(JSON.stringify(input)),
    {
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(handlers),
        retryIntervalOverrides: Object.fromEntries(handlers.map(([name]) => [name, 0])),
      },
      context: { Execution: { Id: id } },
    },
  );
  const end = running.result.then(
    (output: unknown) => ({ status: 'SUCCEEDED', output }),
    (error: unknown) => ({ status: 'FAILED', ...failureOf(error) }),
  );
  const events: unknown[] = [];
  /** In the order in which they were entered. A retried state counts once for each try. */
  const states: string[] = [];
  for await (const event of running.eventLogs) {
    events.push(event);
    if (event.type === 'StateEntered' || event.type === 'StateRetried') states.push(event.state.name);
  }
  const ended: { status: string; output?: unknown; error?: string; cause?: string } = await end;
  /** `stored`: inputs, outputs, log events, the result and the error, as Step Functions would store them. */
  return { id, ...ended, states, stored: JSON.stringify([events, ended]) };
}

/**
 * The result of a task. Throws a failure in the form of Step Functions: its type is the error, and the whole failure as JSON is
 * the cause.
 */
function resultOf(outcome: Outcome) {
  if ('result' in outcome) return JSON.parse(JSON.stringify(outcome.result));
  if ('killed' in outcome) throw new Error(`The function was killed: ${outcome.killed}`);
  const { error } = outcome;
  throw Object.assign(new Error(JSON.stringify(error)), { name: error.errorType });
}

function failureOf(error: unknown): { error: string; cause: string } {
  if (!(error instanceof ExecutionError) || !(error.cause instanceof Error)) throw error;
  return { error: error.cause.name, cause: error.cause.message };
}
