/** Compares the permissions of every role with the README's table of permissions. */
import {
  allowedTo,
  holdersOf,
  type Permission,
  permissionsOf,
  permissionTable,
  type Row,
  SECRETS,
} from './permissions.ts';
import { at, differs, type Json, list, type Resource, render, resourcesOf, type Template } from './template.ts';

const CONTEXT_KEYS = ['leaseId', 'array', 'host', 'trust'];
export const SECRETS_MANAGER = 'secretsmanager.<Region>.<URLSuffix>';

/** Resource types that would grant access outside the roles. */
const BESIDE_ROLES =
  /^AWS::(IAM::(?!Role$)|SecretsManager::ResourcePolicy|Lambda::(Permission|Url)$|Events::EventBusPolicy)/;
/** AWS supports no narrower resource for these actions. */
const ON_EVERYTHING = /^(secretsmanager:ListSecrets|ec2:\w+)$/;

export const roleFaults = (template: Template, table: readonly Row[] = permissionTable()): string[] => [
  ...Object.entries(template.Resources)
    .filter(([, { Type }]) => BESIDE_ROLES.test(Type))
    .map(([id]) => `${id}: gives access beside the roles`),
  ...resourcesOf(template, 'AWS::IAM::Role').flatMap(([id, role]) => [
    ...permissionFaults(template, id, role, table),
    ...differs(`${id}: managed policies`, list(at(role.Properties, 'ManagedPolicyArns')), []),
    ...permissionsOf(role).flatMap((permission) => [
      ...shapeFaults(id, permission),
      ...conditionFaults(id, permission),
    ]),
  ]),
];

const permissionFaults = (template: Template, id: string, role: Resource, table: readonly Row[]): string[] => {
  const [holder, ...others] = holdersOf(template).filter((one) => one.role === id);
  if (holder === undefined || others.length > 0) return [`${id}: must be the role of one function or schedule`];
  const inVpc = at(template.Resources[holder.id]?.Properties, 'VpcConfig') !== undefined;
  const permissions = permissionsOf(role).map(({ text }) => text);
  return [
    ...differs(`${id}: permissions`, permissions.sort(), allowedTo(holder, inVpc, table)),
    ...(holder.isSchedule ? scheduleTrustFaults(id, role) : trustFaults(id, role, 'lambda.amazonaws.com')),
  ];
};

/** Statement forms that allow more than they list. */
const shapeFaults = (id: string, { action, resource, statement }: Permission): string[] => [
  ...differs(`${id}: effect`, at(statement, 'Effect'), 'Allow'),
  ...(action.includes('*') ? [`${id}: ${action} is more than one action`] : []),
  ...(resource === '*' && !ON_EVERYTHING.test(action) ? [`${id}: ${action} on everything`] : []),
  ...['NotAction', 'NotResource']
    .filter((name) => at(statement, name) !== undefined)
    .map((name) => `${id}: has ${name}`),
];

const conditionFaults = (id: string, { action, resource, statement }: Permission): string[] => {
  const condition = at(statement, 'Condition');
  if (resource === 'LeaseKey.Arn') return contextFaults(`${id}: ${action}`, statement);
  if (action.startsWith('ec2:')) {
    return differs(`${id}: ${action}`, condition, { Null: { 'lambda:SourceFunctionArn': 'true' } });
  }
  if (resource !== 'SecretsKey.Arn') return [];
  const via = render(at(condition, 'StringEquals', 'kms:ViaService'));
  const secret = render(at(condition, 'ArnLike', 'kms:EncryptionContext:SecretARN'));
  return [
    ...differs(`${id}: ${action} of secrets, by way of`, via, SECRETS_MANAGER),
    ...differs(`${id}: ${action} of secrets, which`, secret, SECRETS),
  ];
};

/** The leases' key may be used only with exactly the encryption context that seals a token. */
export const contextFaults = (what: string, statement: Json): string[] => {
  const condition = at(statement, 'Condition');
  const present = Object.fromEntries(CONTEXT_KEYS.map((key) => [`kms:EncryptionContext:${key}`, 'false']));
  return [
    ...differs(`${what}: no other context`, at(condition, 'ForAllValues:StringEquals'), {
      'kms:EncryptionContextKeys': CONTEXT_KEYS,
    }),
    ...differs(`${what}: the whole context`, at(condition, 'Null'), present),
  ];
};

const trusted = (role: Resource): Json[] => list(at(role.Properties, 'AssumeRolePolicyDocument', 'Statement'));

const trustFaults = (id: string, role: Resource, service: string): string[] =>
  differs(
    `${id}: who may take it`,
    trusted(role).map((statement) => at(statement, 'Principal') ?? null),
    [{ Service: service }],
  );

/** EventBridge Scheduler may assume the role only for schedules of this stack's group. */
const scheduleTrustFaults = (id: string, role: Resource): string[] => [
  ...trustFaults(id, role, 'scheduler.amazonaws.com'),
  ...differs(`${id}: in whose name`, at(trusted(role)[0], 'Condition'), {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['ScheduleGroup', 'Arn'] } },
  }),
];
