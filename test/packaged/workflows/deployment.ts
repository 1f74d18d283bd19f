/** Workflows on the deployed product: executions whose tasks invoke the packaged functions. */
import { canary } from '../../kit/canary.ts';
import { deploy } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { executionEnded } from '../../kit/memory/messages.ts';
import { type Execution, execute, type Invoke } from './execution.ts';
import { type Machine, readMachine } from './machine.ts';

export type Workflows = Awaited<ReturnType<typeof deployWorkflows>>;

type RunOptions = {
  /** Runs before the state's task is invoked. `nth` counts its tries from 1. */
  readonly before?: (state: string, nth: number) => unknown;
  /** A machine that runs instead of the one in examples/step-functions. */
  readonly machine?: Machine;
};

export const API_TOKEN = canary(500);

const ACCOUNT = 'arn:aws:states:eu-central-1:123456789012:execution';
const TASKS = ['login', 'logout', 'call-array'] as const;

/** Starts everything. The fleet has no array. Everything lives until `stop`. */
export async function deployWorkflows() {
  const users = [{ username: 'pureuser', apiToken: API_TOKEN }];
  const d = await deploy({ functions: [...TASKS, 'session-events'], array: { users } });
  const functions = new Map<string, Task>(TASKS.map((name) => [name, inTurn((event) => d.invoke(name, event))]));
  // Warm up: cold starts are slow on a busy machine and are not part of the test.
  await Promise.all([...functions.values()].map((invoke) => invoke({})));
  let executions = 0;

  /** Runs `with-session` or `fleet` to its end. */
  async function run(workflow: string, input: object, options: RunOptions = {}): Promise<Execution> {
    const { machine = readMachine(`${workflow}.asl.json`), before = () => {} } = options;
    executions += 1;
    const tries = new Map<string, number>();
    const invoke: Invoke = async (name, state, event) => {
      tries.set(state, (tries.get(state) ?? 0) + 1);
      await before(state, tries.get(state) ?? 0);
      const task = functions.get(name);
      if (task === undefined) throw new Error(`There is no function ${name}`);
      return task(event);
    };
    return execute(machine, `${ACCOUNT}:${workflow}:execution-${executions}`, input, invoke);
  }

  /** Tokens, or pieces of them, that Step Functions would store with an execution. Empty if none. */
  const tokensOf = (execution: Execution): string[] => tokensIn(execution.stored, d.tokens());

  /** Delivers the end of the execution to session-events, as the rule on the default event bus does. */
  async function endOwner({ id, status }: Execution): Promise<void> {
    const again = await d.deliver([executionEnded(id, status, `end-of-${id.split(':').at(-1)}`)]);
    if (again.length > 0) throw new Error('The end of the execution must be delivered again');
  }

  return { ...d, run, tokensOf, endOwner };
}

type Task = (event: unknown) => Promise<Outcome>;

/** Runs one invocation at a time, as a Lambda environment does; the others wait. */
function inTurn(invoke: Task): Task {
  let last: Promise<unknown> = Promise.resolve();
  return (event) => {
    const outcome = last.then(() => invoke(event));
    last = outcome.catch(() => {});
    return outcome;
  };
}
