/** Workflows on the deployed product: executions whose tasks invoke the packaged functions. */

import { type Lambda, type Outcome, startLambda } from '../../kit/lambda/lambda.ts';
import { executionEnded } from '../../kit/memory/messages.ts';
import { zipOf } from '../../kit/packaged.ts';
import { canary } from '../canaries/canary.ts';
import { configurationOf } from '../functions/configuration.ts';
import { tokensIn } from '../functions/secrecy.ts';
import { deployEvents, type EventsDeployment } from '../functions/session-events-deployment.ts';
import { type Execution, execute, type Invoke } from './execution.ts';
import { type Machine, readMachine } from './machine.ts';

export type Workflows = Awaited<ReturnType<typeof deployWorkflows>>;

type RunOptions = {
  /** Runs before the state's task is invoked. `nth` counts its tries from 1. */
  readonly before?: (state: string, nth: number) => unknown;
  /** A machine that runs instead of the one in infra/workflows. */
  readonly machine?: Machine;
};

export const API_TOKEN = canary(500);

const ACCOUNT = 'arn:aws:states:eu-central-1:123456789012:execution';

/** Starts everything. The fleet has no array. Everything lives until `stop`. */
export async function deployWorkflows() {
  const d = await deployEvents();
  d.simulator.setUsers([{ username: 'pureuser', apiToken: API_TOKEN }]);
  const callArray = await startCallArray(d);
  const functions: Readonly<Record<string, (event: unknown) => Promise<Outcome>>> = {
    login: inTurn((event) => d.login(event)),
    logout: inTurn((event) => d.logout(event)),
    'call-array': inTurn((event) => callArray.invoke(event)),
  };
  // Warm up: cold starts are slow on a busy machine and are not part of the test.
  await Promise.all(Object.values(functions).map((invoke) => invoke({})));
  let executions = 0;

  /** Runs `with-session` or `fleet` to its end. */
  async function run(workflow: string, input: object, options: RunOptions = {}): Promise<Execution> {
    const { machine = readMachine(`${workflow}.asl.json`), before = () => {} } = options;
    executions += 1;
    const tries = new Map<string, number>();
    const invoke: Invoke = async (name, state, event) => {
      tries.set(state, (tries.get(state) ?? 0) + 1);
      await before(state, tries.get(state) ?? 0);
      const invoked = functions[name];
      if (invoked === undefined) throw new Error(`There is no function ${name}`);
      return invoked(event);
    };
    return execute(machine, `${ACCOUNT}:${workflow}:execution-${executions}`, input, invoke);
  }

  /** Tokens, or pieces of them, that Step Functions would store with an execution. Empty if none. */
  const tokensOf = (execution: Execution): string[] => tokensIn(execution.stored, d.tokens());

  /** Delivers the end of the execution to session-events, as the rule on the default event bus does. */
  async function endOwner({ id, status }: Execution): Promise<void> {
    const again = await d.failuresOf([executionEnded(id, status, `end-of-${id.split(':').at(-1)}`)]);
    if (again.length > 0) throw new Error('The end of the execution must be delivered again');
  }

  const stop = async (): Promise<void> => {
    await callArray.stop();
    await d.stop();
  };
  return { ...d, run, tokensOf, endOwner, stop };
}

function startCallArray({ env }: EventsDeployment): Promise<Lambda> {
  const functionName = 'call-array';
  const physical = { LeaseTable: env.LEASE_TABLE, LeaseKey: env.LEASE_KEY };
  const { handler, timeoutMs, variables } = configurationOf(functionName, physical);
  const all = { ...variables, ...env };
  return startLambda({ zip: zipOf(functionName), handler, functionName, timeoutMs, env: all });
}

/** Runs one invocation at a time, as a Lambda environment does; the others wait. */
function inTurn(invoke: (event: unknown) => Promise<Outcome>): (event: unknown) => Promise<Outcome> {
  let last: Promise<unknown> = Promise.resolve();
  return (event) => {
    const outcome = last.then(() => invoke(event));
    last = outcome.catch(() => {});
    return outcome;
  };
}
