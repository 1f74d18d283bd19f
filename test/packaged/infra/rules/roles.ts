/** Who may do what: the permissions of every role, and who may assume it. */
import type { Template } from '../../../kit/packaged.ts';
import { arn, at, differs, GONE, idsOf } from '../template.ts';
import { allowedTo, HOLDERS, permissionsOf, permissionTable, type Row, SECRETS } from './permissions.ts';
import { type Faults, mustAll, only, type Rule, rule } from './rule.ts';

/** Resource types that would grant access outside the roles. */
const BESIDE_ROLES = /^AWS::(IAM::(?!Role$)|SecretsManager::ResourcePolicy|Lambda::(Permission|Url)$)/;
/** AWS supports no narrower resource for these actions. */
const ON_EVERYTHING =
  /^(secretsmanager:ListSecrets|ec2:\w+|xray:Put\w+|logs:(\w+LogDeliver\w+|PutResourcePolicy|Describe\w+))$/;
export const SECRETS_MANAGER = 'secretsmanager.<Region>.<URLSuffix>';

const STATEMENT = 'AWS::IAM::Role/Properties/Policies/*/PolicyDocument/Statement/*';
const may = (role: string): string => `${role}/Properties/Policies/0/PolicyDocument/Statement`;
const LOGIN = may('LoginRole');
const LOGOUT = may('LogoutRole');
const SWEEP = may('SweepSessionsRole');
const EVENTS = may('SessionEventsRole');
const SCHEDULE = may('SweepScheduleRole');
const MACHINE = may('FleetCheckRole');
const READ = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
const CONTEXT_KEYS = ['leaseId', 'array', 'host', 'trust'];
/** The condition of exactly the encryption context that seals a token: no other keys, and none missing. */
export const CONTEXT = {
  'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': CONTEXT_KEYS },
  Null: Object.fromEntries(CONTEXT_KEYS.map((key) => [`kms:EncryptionContext:${key}`, 'false'])),
};
const BY_LAMBDA = { Null: { 'lambda:SourceFunctionArn': 'true' } };
const ALSO_UNSEAL = ['kms:GenerateDataKey', 'kms:Decrypt'];

/** Compares the roles with the README's table. */
export const permissionFaults = (template: Template, table: readonly Row[] = permissionTable()): string[] =>
  HOLDERS.flatMap((holder) => {
    const own = at(template.Resources, `${holder.id ?? ''}/Properties`);
    const inVpc = at(own, 'VpcConfig') !== GONE;
    const isTraced = at(own, 'TracingConfig/Mode') === 'Active';
    const stateMachines = String(at(own, 'Environment/Variables/STATE_MACHINE_ARN_PREFIX') ?? '');
    const permissions = permissionsOf(template, holder.role).map(({ action, resource }) => `${action} on ${resource}`);
    const allowed = allowedTo(holder, { inVpc, isTraced, stateMachines }, table);
    return differs(`${holder.role}: permissions`, permissions.sort(), allowed) || [];
  });

type Permission = ReturnType<typeof permissionsOf>[number];

/** Faults of each permission of each role. */
const eachPermission = (faults: (permission: Permission, what: string) => Faults) => (template: Template) =>
  idsOf(template, 'AWS::IAM::Role').map((id) =>
    permissionsOf(template, id).map((one) => faults(one, `${id}: ${one.action}`)),
  );

const OF_OUR_SCHEDULES = {
  StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
  ArnEquals: { 'aws:SourceArn': arn('ScheduleGroup') },
};
const OF_OUR_ACCOUNT = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
const trustRules = HOLDERS.flatMap(({ role, service }) =>
  mustAll(`${role}/Properties/AssumeRolePolicyDocument/Statement`, {
    '0/Principal': { Service: `${service}.amazonaws.com` },
    '0/Condition': { lambda: GONE, scheduler: OF_OUR_SCHEDULES, states: OF_OUR_ACCOUNT }[service],
    1: GONE,
  }),
);

export const ROLE_RULES: Rule[] = [
  only('AWS::IAM::Role', ...HOLDERS.map(({ role }) => role)),
  rule(
    'nothing beside the roles gives access',
    ({ Resources }) => Object.keys(Resources).filter((id) => BESIDE_ROLES.test(Resources[id]?.Type ?? '')),
    ['a policy', 'Other', { Type: 'AWS::IAM::ManagedPolicy', Properties: {} }],
    ['a function URL', 'Other', { Type: 'AWS::Lambda::Url', Properties: {} }],
  ),
  rule(
    "every role has exactly the permissions in the README's table",
    (template) => permissionFaults(template),
    ['every action', `${LOGIN}/KeepLedger/Action`, '*'],
    ['a misspelt action', `${LOGIN}/ReadApiTokens/Action`, 'secretsmanager:GetSecretValues'],
    ['one extra action', `${LOGIN}/KeepLedger/Action/+`, 'dynamodb:Scan'],
    ['a missing action', `${LOGIN}/RemoveItems`, GONE],
    ['access to API tokens for logout', `${LOGOUT}/+`, READ],
    ['access to API tokens for sweep-sessions', `${SWEEP}/+`, READ],
    ['a list of all secrets for login', `${LOGIN}/+`, { ...READ, Action: 'secretsmanager:ListSecrets' }],
    ['DeleteItem for logout', `${LOGOUT}/KeepLedger/Action/+`, 'dynamodb:DeleteItem'],
    ['unsealing by the login role', `${LOGIN}/Seal/Action`, ALSO_UNSEAL],
    ["the secrets' key for logout", `${LOGOUT}/Unseal/Resource`, arn('SecretsKey')],
    ['dead letters to another queue', `${EVENTS}/GiveUpMessages/Resource`, arn('X')],
    ["another function's logs", `${LOGIN}/WriteLogs/Resource`, arn('LogoutLogGroup')],
    ['no report of failed invocations', `${LOGIN}/ReportFailedInvocations`, GONE],
    ['network permissions without a VPC', `${LOGIN}/+`, { ...READ, Action: 'ec2:DescribeSubnets' }],
    ['traces without tracing', `${LOGIN}/+`, { ...READ, Action: 'xray:PutTraceSegments' }],
    ['tracing without permission', 'LoginLambdaFunction/Properties/TracingConfig/Mode', 'Active'],
    ['a schedule that invokes another function', `${SCHEDULE}/Invoke/Resource`, arn('LoginLambdaFunction')],
    ['a schedule that starts another machine', `${may('CheckScheduleRole')}/Start/Resource`, { Ref: 'X' }],
    ['a machine that cannot start its parts', `${MACHINE}/StartParts`, GONE],
    ['a machine that stops other executions', `${MACHINE}/FollowParts/Resource/+`, arn('X')],
    ['a machine that invokes another function', `${MACHINE}/Invoke/Resource`, arn('LoginLambdaFunction')],
  ),
  ...mustAll('AWS::IAM::Role/Properties', { ManagedPolicyArns: GONE }),
  ...mustAll(STATEMENT, { Effect: 'Allow', NotAction: GONE, NotResource: GONE }),
  rule(
    'no permission has a wildcard for actions',
    eachPermission(({ action }, what) => action.includes('*') && `${what} is more than one action`),
    ['every action of a service', `${LOGIN}/KeepLedger/Action`, 'dynamodb:*'],
  ),
  rule(
    'no permission is for everything, where AWS supports a narrower resource',
    eachPermission(
      ({ action, resource }, what) => resource === '*' && !ON_EVERYTHING.test(action) && `${what} on everything`,
    ),
    ['every table', `${LOGIN}/KeepLedger/Resource`, '*'],
    ['every secret', `${LOGIN}/ReadApiTokens/Resource`, '*'],
    ['every index', `${SWEEP}/FindDue/Resource`, '*'],
    ['every event bus', `${EVENTS}/TellOthers/Resource`, '*'],
    ['a schedule that invokes any function', `${SCHEDULE}/Invoke/Resource`, '*'],
    ['a machine that starts any other', `${MACHINE}/StartParts/Resource`, '*'],
  ),
  rule(
    'only Lambda itself uses the network permissions of a function',
    eachPermission(
      ({ action, statement }, what) =>
        action.startsWith('ec2:') && differs(what, at(statement, 'Condition'), BY_LAMBDA),
    ),
    ['no condition', `${LOGIN}/+`, { ...READ, Action: 'ec2:CreateNetworkInterface' }],
  ),
  rule(
    "a role uses the leases' key only with the encryption context of one lease",
    eachPermission(
      ({ resource, statement }, what) =>
        resource === 'LeaseKey.Arn' && differs(what, at(statement, 'Condition'), CONTEXT),
    ),
    ['sealing without context', `${LOGIN}/Seal/Condition`, GONE],
    ['sealing with a part of it', `${LOGIN}/Seal/Condition/Null/kms:EncryptionContext:trust`, GONE],
    ['unsealing without context', `${LOGOUT}/Unseal/Condition`, GONE],
  ),
  rule(
    "a role uses the secrets' key only through Secrets Manager, for the arrays' secrets",
    eachPermission(
      ({ resource, statement }, what) =>
        resource === 'SecretsKey.Arn' && [
          differs(`${what}: by way of`, at(statement, 'Condition/StringEquals/kms:ViaService'), SECRETS_MANAGER),
          differs(`${what}: which`, at(statement, 'Condition/ArnLike/kms:EncryptionContext:SecretARN'), SECRETS),
        ],
    ),
    ['decrypting outside Secrets Manager', `${LOGIN}/DecryptSecrets/Condition/StringEquals`, GONE, 'by way of'],
    ['decrypting any secret', `${LOGIN}/DecryptSecrets/Condition/ArnLike`, GONE, 'which'],
  ),
  ...trustRules,
];
