/** The state machines of examples/step-functions, as data. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';

export const DIRECTORY = resolve(ROOT, 'examples/step-functions');

export type Catcher = { readonly ErrorEquals: readonly string[]; readonly ResultPath?: string; readonly Next: string };
export type Retrier = {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxAttempts?: number;
};
/** The fields of a state that the tests use. */
export type State = {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly ItemSelector?: Readonly<Record<string, unknown>>;
  readonly ResultPath?: string;
  readonly OutputPath?: string;
  readonly Error?: string;
  readonly ErrorPath?: string;
  readonly CausePath?: string;
  readonly MaxConcurrency?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
  readonly ItemProcessor?: Flow;
};
/** A graph of states: the machine's own, or the one that runs for each item of a Map. */
export type Flow = { readonly StartAt: string; readonly States: Readonly<Record<string, State>> };
export type Machine = Flow & { readonly TimeoutSeconds?: number };

/** File names of all machines. */
export const MACHINES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.asl.json'));

export const readMachine = (name: string): Machine => JSON.parse(readFileSync(resolve(DIRECTORY, name), 'utf8'));

/** The machine's own states, and those of each Map. */
export const flowsOf = (flow: Flow): Flow[] => [
  flow,
  ...Object.values(flow.States).flatMap(({ ItemProcessor }) => (ItemProcessor ? flowsOf(ItemProcessor) : [])),
];

const statesOf = (machine: Machine, type: string): [string, State][] =>
  flowsOf(machine).flatMap(({ States }) => Object.entries(States).filter(([, { Type }]) => Type === type));

export const tasksOf = (machine: Machine): [string, State][] => statesOf(machine, 'Task');
export const mapsOf = (machine: Machine): [string, State][] => statesOf(machine, 'Map');

/** Name of the function that a task invokes: `login` for `${LoginFunctionArn}`. */
export const functionOf = ({ Resource = '' }: State): string | undefined =>
  /^\$\{(\w+)FunctionArn\}$/
    .exec(Resource)?.[1]
    ?.replace(/\B[A-Z]/g, '-$&')
    .toLowerCase();

/** The machine as CloudFormation deploys it, with DefinitionSubstitutions applied. */
export const deployed = (machine: Machine): Machine =>
  JSON.parse(
    JSON.stringify(machine).replaceAll(
      /\$\{(\w+)FunctionArn\}/g,
      'arn:aws:lambda:eu-central-1:123456789012:function:$1',
    ),
  );
