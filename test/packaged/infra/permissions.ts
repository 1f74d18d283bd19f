/** The permissions of every role, in the template and in the table of docs/deploying.md. */
import { page, tableRows } from '../../kit/pages.ts';
import {
  at,
  functionName,
  type Json,
  list,
  type Resource,
  render,
  resourcesOf,
  type Template,
  target,
} from './template.ts';

export type Permission = {
  /** `<action> on <resource>` */
  readonly text: string;
  readonly action: string;
  readonly resource: string;
  readonly statement: Json;
};

export const permissionsOf = (role: Resource | undefined): Permission[] =>
  list(at(role?.Properties, 'Policies'))
    .flatMap((policy) => list(at(policy, 'PolicyDocument', 'Statement')))
    .flatMap((statement) =>
      list(at(statement, 'Action')).flatMap((action) =>
        list(at(statement, 'Resource')).map((resource) => {
          const name = render(resource);
          return { text: `${String(action)} on ${name}`, action: String(action), resource: name, statement };
        }),
      ),
    );

/** The resources that the table's words stand for. */
export const SECRETS = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:flashblade/*';
const RESOURCES: Readonly<Record<string, string>> = {
  "the arrays' secrets": SECRETS,
  "the secrets' key": 'SecretsKey.Arn',
  "the leases' key": 'LeaseKey.Arn',
  'the lease table': 'LeaseTable.Arn',
  'its index `due`': '<LeaseTable.Arn>/index/due',
  'its index `owner`': '<LeaseTable.Arn>/index/owner',
  'the request queue': 'RequestQueue.Arn',
  'the dead-letter queue': 'DeadLetterQueue.Arn',
  'the queue of failed invocations': 'FailedInvocationQueue.Arn',
  'the event bus': 'EventBus.Arn',
  '`*`': '*',
};

/** The holder of a role: a function, or the schedule of one. */
export type Holder = {
  readonly role: string;
  readonly name: string;
  readonly isSchedule: boolean;
  readonly id: string;
};

export const holdersOf = (template: Template): Holder[] => [
  ...resourcesOf(template, 'AWS::Lambda::Function').map(([id, { Properties }]) => ({
    role: target(at(Properties, 'Role')),
    name: functionName(id),
    isSchedule: false,
    id,
  })),
  ...resourcesOf(template, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => {
    const id = target(at(Properties, 'Target', 'Arn'));
    return { role: target(at(Properties, 'Target', 'RoleArn')), name: functionName(id), isSchedule: true, id };
  }),
];

export type Row = readonly string[];
export const permissionTable = (): Row[] => tableRows('permission', page('deploying.md'));

/** What the table allows to one holder, sorted. */
export const allowedTo = (holder: Holder, inVpc: boolean, table: readonly Row[]): string[] =>
  table
    .filter(([, , who = '']) => isMeant(holder, inVpc, who))
    .flatMap(([actions = '', on = '']) =>
      [...actions.matchAll(/`([^`]+)`/g)].map(([, action]) => `${action} on ${resourceOf(holder, on)}`),
    )
    .sort();

const isMeant = ({ name, isSchedule }: Holder, inVpc: boolean, who: string): boolean => {
  if (isSchedule) return who.includes('the schedules');
  if (who.startsWith('every function in a VPC')) return inVpc;
  if (who.startsWith('every function but')) return !who.includes(`\`${name}\``);
  return who.startsWith('every function') || who.includes(`\`${name}\``);
};

const resourceOf = ({ id }: Holder, words: string): string => {
  if (words === 'its own log group') return `${id.replace(/LambdaFunction$/, 'LogGroup')}.Arn`;
  if (words === 'its own function') return `${id}.Arn`;
  const resource = RESOURCES[words];
  if (resource === undefined) throw new Error(`the table of permissions in docs/deploying.md names ${words}`);
  return resource;
};
