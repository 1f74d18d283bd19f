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
    const handlers = statesOf(machine, 'Task').map(([state, task]) => {
      let tries = 0;
      const handler = async (event: unknown) => {
        tries += 1;
        await before(state, tries);
        return resultOf(await invokeInTurn(functionOf(task) as FunctionName, event));
      };
      return [state, handler] as const;
    });
    const running = new StateMachine(deployed(machine) as unknown as StateMachineDefinition).run(
      JSON.parse(JSON.stringify(input)),
      {
        overrides: {
          taskResourceLocalHandlers: Object.fromEntries(handlers),
          retryIntervalOverrides: Object.fromEntries(handlers.map(([state]) => [state, 0])),
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
    /** Tokens, or pieces of them, in what Step Functions would store: inputs, outputs, log events, the result, the error. */
    const tokens = tokensIn(JSON.stringify([events, ended]), d.tokens());
    return { id, ...ended, states, tokens };
  }

  /** The array recovers, and the rule on the default event bus delivers the end of the execution to session-events. */
  async function endOwner({ id, status }: { id: string; status: string }): Promise<void> {
    await d.simulator.faults.clear();
    const again = await d.deliver([executionEnded(id, status, `end-of-${id.split(':').at(-1)}`)]);
    if (again.length > 0) throw new Error('The end of the execution must be delivered again');
  }

  return { ...d, run, endOwner };
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
