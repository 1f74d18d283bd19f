/** Runs one execution of a state machine to its end, and records what Step Functions would store of it. */
import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { deployed, functionOf, type Machine, tasksOf } from './machine.ts';

type EventLog = ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

/** Invokes a function for a state. */
export type Invoke = (functionName: string, state: string, event: unknown) => Promise<Outcome>;

export type Execution = {
  /** `$$.Execution.Id`. */
  readonly id: string;
  readonly status: 'SUCCEEDED' | 'FAILED';
  /** Only if the execution succeeded. */
  readonly output?: unknown;
  /** Only if the execution failed. */
  readonly error?: string;
  readonly cause?: string;
  /** Names of the states in the order in which they were entered. A retried state counts once for each try. */
  readonly states: readonly string[];
  /** What Step Functions would store: inputs and outputs of all states, all log events, the result, the error. */
  readonly stored: string;
};

/** Skips the waits between tries. */
export async function execute(machine: Machine, id: string, input: object, invoke: Invoke): Promise<Execution> {
  const handlers = tasksOf(machine).map(([name, state]) => [
    name,
    async (event: unknown) => resultOf(await invoke(functionOf(state) ?? '', name, event)),
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
    (output) => ({ status: 'SUCCEEDED', output }) as const,
    (error: unknown) => ({ status: 'FAILED', ...failureOf(error) }) as const,
  );
  const events: EventLog[] = [];
  for await (const event of running.eventLogs) events.push(event);
  const states = events.flatMap((event) =>
    event.type === 'StateEntered' || event.type === 'StateRetried' ? [event.state.name] : [],
  );
  const ended = await end;
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
