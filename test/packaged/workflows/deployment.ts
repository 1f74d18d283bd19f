/** Workflows on the deployed product: executions whose tasks invoke the packaged functions. */
import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { mapLimit } from '../../../lib/core/map-limit.ts';
import { canary } from '../../kit/canary.ts';
import { deploy } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { executionEnded } from '../../kit/memory/messages.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { at } from '../infra/template.ts';
import { deployed, functionOf, type Machine, readMachine, type State, statesOf } from './machine.ts';

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

type JSONValue = Parameters<StateMachine['run']>[0];

/** Invokes a function for a state. */
type Invoke = (functionName: string, state: string, event: unknown) => Promise<Outcome>;

/** The largest input or output of a state. */
const MAX_STATE_BYTES = 256 * 1024;

/** Throws if Step Functions would refuse a state's data. No state can catch that. */
function checkSize<Data>(data: Data): Data {
  const bytes = Buffer.byteLength(JSON.stringify(data) ?? '');
  if (bytes > MAX_STATE_BYTES) throw Object.assign(new Error(`${bytes} bytes`), { name: 'States.DataLimitExceeded' });
  return data;
}

type Settings = {
  /** True: waits between tries, as in AWS. Default: false. */
  readonly waits?: boolean;
  /** Default: false. */
  readonly isChild?: boolean;
};

/** Runs a state machine to its end. */
export async function execute(
  original: Machine,
  id: string,
  input: object,
  invoke: Invoke,
  { waits = false, isChild = false }: Settings = {},
) {
  const { machine, maps } = withoutDistributedMaps(original);
  /** State transitions of child executions. */
  let inChildren = 0;
  const handlers = statesOf(machine, 'Task').map(([name, task]) => [
    name,
    async (event: unknown) => {
      const map = maps.get(name);
      if (map !== undefined) {
        const { results, transitions } = await mapRun(map, `${id}/${name}`, event, invoke, { waits });
        inChildren += transitions;
        return results;
      }
      return checkSize(resultOf(await invoke(functionOf(task) ?? '', name, checkSize(event))));
    },
  ]);
  const definition = deployed(machine) as unknown as StateMachineDefinition;
  // The whole machine is validated once.
  const running = new StateMachine(definition, { validationOptions: { noValidate: isChild } }).run(
    JSON.parse(JSON.stringify(input)),
    {
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(handlers),
        ...(waits ? {} : { retryIntervalOverrides: Object.fromEntries(handlers.map(([name]) => [name, [0, 0]])) }),
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
  // AWS also counts the transition to the end of an execution.
  const transitions = states.length + 1 + inChildren;
  /** `stored`: inputs, outputs, log events, the result and the error, as Step Functions would store them. */
  return { id, ...ended, states, transitions, stored: JSON.stringify([events, ended]) };
}

/** The interpreter's own limit for a Task is a minute. A Map has none. */
const NO_LIMIT = 1_000_000;

/** The interpreter runs every Map inline. A Task, whose handler runs the Map, replaces each distributed one. */
function withoutDistributedMaps(machine: Machine): { machine: Machine; maps: ReadonlyMap<string, State> } {
  const maps = new Map(
    Object.entries(machine.States).filter(
      ([, { ItemProcessor }]) => ItemProcessor?.ProcessorConfig?.Mode === 'DISTRIBUTED',
    ),
  );
  const tasks = [...maps].map(([name, { Next, End, ResultPath, Retry, Catch }]) => {
    const others = JSON.parse(JSON.stringify({ Next, End, ResultPath, Retry, Catch }));
    return [
      name,
      {
        Type: 'Task',
        Resource: 'arn:aws:lambda:eu-central-1:123456789012:function:map-run',
        TimeoutSeconds: NO_LIMIT,
        ...others,
      },
    ];
  });
  return { machine: { ...machine, States: { ...machine.States, ...Object.fromEntries(tasks) } }, maps };
}

/**
 * Runs a distributed Map: a child execution for each item, `MaxConcurrency` at a time. Returns the outputs of those that succeeded. Throws if
 * more than the tolerated percentage failed. Supports an ItemsPath such as `$.parts`, and the item itself as a
 * value of the ItemSelector.
 */
async function mapRun(
  map: State,
  id: string,
  input: unknown,
  invoke: Invoke,
  settings: Settings,
): Promise<{ results: JSONValue[]; transitions: number }> {
  const { ItemsPath = '', ItemSelector = {}, ItemProcessor, MaxConcurrency = 0, ToleratedFailurePercentage = 0 } = map;
  const items = at(input, ItemsPath.replace('$.', '').replaceAll('.', '/'));
  if (!Array.isArray(items) || ItemProcessor === undefined) throw new Error(`${id}: no items, or no ItemProcessor`);
  const { ProcessorConfig: _, ...flow } = ItemProcessor;
  const children = await mapLimit(items, MaxConcurrency || items.length, (item) => {
    const fields = Object.entries(ItemSelector).map(([field, value]) => {
      if (value !== '$$.Map.Item.Value' || !field.endsWith('.$')) throw new Error(`${id}: ${field} is not supported`);
      return [field.replace(/\.\$$/, ''), item];
    });
    const child = { ...settings, isChild: true };
    return execute(flow, `${id}:${items.indexOf(item)}`, checkSize(Object.fromEntries(fields)), invoke, child);
  });
  const failed = children.filter(({ status }) => status === 'FAILED');
  if (failed.length * 100 > ToleratedFailurePercentage * items.length) {
    const name = 'States.ExceedToleratedFailureThreshold';
    throw Object.assign(new Error(JSON.stringify(failed.map(({ error }) => error))), { name });
  }
  // The map's result is added to its input.
  const results = children.flatMap(({ status, output }) => (status === 'SUCCEEDED' ? [output] : []));
  checkSize([input, results]);
  const transitions = children.reduce((sum, child) => sum + child.transitions, 0);
  return { results: results as JSONValue[], transitions };
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
