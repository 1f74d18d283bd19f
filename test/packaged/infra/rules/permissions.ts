/** The permissions of every role, in the template and in the table of docs/deploying.md. */
import { FUNCTIONS, logicalIdOf, type Template } from '../../../kit/packaged.ts';
import { page, tableRows } from '../../../kit/pages.ts';
import { at, list, render } from '../template.ts';

/**
 * The holder of a role. `name`: a function's name, or the table's words for another holder. `id`: the logical id of the function.
 * `service`: the service that assumes the role.
 */
type Holder = { readonly role: string; readonly name: string; readonly id?: string; readonly service: Service };
type Service = 'lambda' | 'scheduler' | 'states';

/** Logical id of a function's role. */
export const roleOf = (name: string): string =>
  `${name.replace(/(?:^|-)(\w)/g, (_, initial: string) => initial.toUpperCase())}Role`;

export const HOLDERS: readonly Holder[] = [
  ...FUNCTIONS.map((name) => ({ role: roleOf(name), name, id: logicalIdOf(name), service: 'lambda' as const })),
  { role: 'SweepScheduleRole', name: "the sweep's schedule", service: 'scheduler' },
  { role: 'CheckScheduleRole', name: "the fleet check's schedule", service: 'scheduler' },
  { role: 'FleetCheckRole', name: 'the state machine', service: 'states' },
];

/** What a role may do: an action on a resource, and the statement that allows it. */
export const permissionsOf = ({ Resources }: Template, role: string) =>
  list(at(Resources, `${role}/Properties/Policies`))
    .flatMap((policy) => list(at(policy, 'PolicyDocument/Statement')))
    .flatMap((statement) =>
      list(at(statement, 'Action')).flatMap((action) =>
        list(at(statement, 'Resource')).map((on) => ({ action: String(action), resource: render(on), statement })),
      ),
    );

/** The resources that the table's words stand for. */
export const SECRETS = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:flashblade/*';
const RESOURCES: Readonly<Record<string, string>> = {
  "the arrays' secrets": SECRETS,
  "the secrets' key": 'SecretsKey.Arn',
  "the leases' key": 'LeaseKey.Arn',
  'the lease table': 'LeaseTable.Arn',
  "the lease table's `due` index": '<LeaseTable.Arn>/index/due',
  "the lease table's `owner` index": '<LeaseTable.Arn>/index/owner',
  'the request queue': 'RequestQueue.Arn',
  'the queue for failed events': 'FailedEventQueue.Arn',
  'the queue for failed invocations': 'FailedInvocationQueue.Arn',
  'the event bus': 'EventBus.Arn',
  '`sweep-sessions`': 'SweepDashsessionsLambdaFunction.Arn',
  '`check-fleet`': 'CheckDashfleetLambdaFunction.Arn',
  'the state machine': 'FleetCheck',
  'the state machine itself': 'arn:<Partition>:states:<Region>:<AccountId>:stateMachine:<StackName>-fleet-check',
  "the state machine's executions": 'arn:<Partition>:states:<Region>:<AccountId>:execution:<StackName>-fleet-check:*',
  "the state machine's executions for parts":
    'arn:<Partition>:states:<Region>:<AccountId>:execution:<StackName>-fleet-check/*',
  '`*`': '*',
};

/** Ends a row that holds only with a parameter that is empty by default. */
export const IF_SET = 'if that parameter is set';

export type Row = readonly string[];
export const permissionTable = (): Row[] => tableRows('permission', page('deploying.md'));

/** Parameters that give a function more permissions. `stateMachines`: the prefix of those whose executions own leases, or nothing. */
type Extras = { readonly inVpc: boolean; readonly isTraced: boolean; readonly stateMachines: string };

/** What the table allows to one holder: `<action> on <resource>`, sorted. */
export const allowedTo = (holder: Holder, extras: Extras, table: readonly Row[]): string[] =>
  table
    .filter(([, , who = '']) => isMeant(holder, extras, who) && (extras.stateMachines !== '' || !who.endsWith(IF_SET)))
    .flatMap(([actions = '', on = '']) =>
      [...actions.matchAll(/`([^`]+)`/g)].map(
        ([, action]) => `${action} on ${resourceOf(holder, on, extras.stateMachines)}`,
      ),
    )
    .sort();

function isMeant({ name, service }: Holder, { inVpc, isTraced }: Extras, who: string): boolean {
  if (service === 'scheduler' && who.includes('the schedules')) return true;
  if (service !== 'lambda') return who.split('; ').includes(name);
  if (who.startsWith('every function in a VPC')) return inVpc;
  if (who.startsWith('every function with `tracing=Active`')) return isTraced;
  if (who.startsWith('every function but')) return !who.includes(`\`${name}\``);
  return who.startsWith('every function') || who.includes(`\`${name}\``);
}

function resourceOf({ id }: Holder, words: string, stateMachines: string): string {
  if (words.startsWith('executions of')) return `${stateMachines.replace(':stateMachine:', ':execution:')}*`;
  if (words === 'its own log group') return `${id?.replace(/LambdaFunction$/, 'LogGroup')}.Arn`;
  const resource = RESOURCES[words];
  if (resource === undefined) throw new Error(`the table of permissions in docs/deploying.md names ${words}`);
  return resource;
}
