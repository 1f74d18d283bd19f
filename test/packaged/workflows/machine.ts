/** The state machines of examples/step-functions and of the stack, as data. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';
import { FUNCTIONS, logicalIdOf, template } from '../../kit/packaged.ts';
import { at, changed, GONE } from '../infra/template.ts';

export const DIRECTORY = resolve(ROOT, 'examples/step-functions');

type Parameters = Readonly<Record<string, unknown>>;
type OnErrors<Fields> = readonly ({ readonly ErrorEquals: readonly string[] } & Readonly<Fields>)[];
/** The fields of a state that the tests use. */
export type State = {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Parameters?: Parameters;
  readonly ItemSelector?: Parameters;
  readonly ResultPath?: string;
  readonly OutputPath?: string;
  readonly ErrorPath?: string;
  readonly CausePath?: string;
  readonly ItemsPath?: string;
  readonly MaxConcurrency?: number;
  readonly ToleratedFailurePercentage?: number;
  readonly Retry?: OnErrors<{ IntervalSeconds?: number; BackoffRate?: number; MaxAttempts?: number }>;
  readonly Catch?: OnErrors<{ ResultPath?: string; Next: string }>;
  readonly ItemProcessor?: Flow & { readonly ProcessorConfig?: { readonly Mode?: string } };
};
/** A graph of states: the machine's own, or the one that runs for each item of a Map. */
export type Flow = { readonly StartAt: string; readonly States: Readonly<Record<string, State>> };
export type Machine = Flow & { readonly TimeoutSeconds?: number };

/** File names of all machines. */
export const MACHINES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.asl.json'));

export const readMachine = (name: string): Machine => JSON.parse(readFileSync(resolve(DIRECTORY, name), 'utf8'));

/** The stack's state machine that checks the fleet, in the form of the examples: `${CheckFleetFunctionArn}` is a function's ARN. */
export function fleetCheckMachine(): Machine {
  const definition = JSON.stringify(template().Resources['FleetCheck']?.Properties['Definition']);
  const names = FUNCTIONS.map((name) => [
    JSON.stringify({ 'Fn::GetAtt': [logicalIdOf(name), 'Arn'] }),
    `"\${${name.replace(/(?:^|-)(\w)/g, (_, initial: string) => initial.toUpperCase())}FunctionArn}"`,
  ]);
  return JSON.parse(
    names.reduce((text, [attribute = '', name = '']) => text.replaceAll(attribute, () => name), definition),
  );
}

/** The machine's own states, and those of each Map. */
export const flowsOf = (flow: Flow): Flow[] => [
  flow,
  ...Object.values(flow.States).flatMap(({ ItemProcessor }) => (ItemProcessor ? flowsOf(ItemProcessor) : [])),
];

export const statesOf = (machine: Machine, type: string): [string, State][] =>
  flowsOf(machine).flatMap(({ States }) => Object.entries(States).filter(([, { Type }]) => Type === type));

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

const FLOWS = ['States', 'States/Arrays/ItemProcessor/States'];

/** The machine with another value at a path such as `Work/Retry/0`, in each flow that has this state. */
export const variants = (machine: Machine, path: string, value: unknown): Machine[] =>
  FLOWS.filter((flow) => at(machine, `${flow}/${path.replace(/\/.*/, '')}`) !== GONE).map((flow) =>
    changed(machine, `${flow}/${path}`, value),
  );
