/** Changes that the checks of roles and keys must detect. */
import { type Change, GONE } from './change.ts';

const may = (role: string) => [role, 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'];
const LOGIN = may('LoginRole');
const LOGOUT = may('LogoutRole');
const SCHEDULE = may('SweepScheduleRole');
const LEASE_KEY = ['LeaseKey', 'Properties', 'KeyPolicy', 'Statement'];
const SECRETS_KEY = ['SecretsKey', 'Properties', 'KeyPolicy', 'Statement'];
const read = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
const trust = (role: string) => [role, 'Properties', 'AssumeRolePolicyDocument', 'Statement', 0];

export const OF_ROLES: Change[] = [
  ['a permission for every action', [...LOGIN, 'KeepLedger', 'Action'], '*', 'permissions'],
  [
    'a permission for every action of a service',
    [...LOGIN, 'KeepLedger', 'Action'],
    'dynamodb:*',
    'more than one action',
  ],
  ['a misspelt action', [...LOGIN, 'ReadApiTokens', 'Action'], 'secretsmanager:GetSecretValues', 'permissions'],
  ['one extra action', [...LOGIN, 'KeepLedger', 'Action', 3], 'dynamodb:Scan', 'permissions'],
  ['a missing action', [...LOGIN, 'RemoveItems'], GONE, 'permissions'],
  ['a permission for every table', [...LOGIN, 'KeepLedger', 'Resource'], '*', 'on everything'],
  ['a permission for every secret', [...LOGIN, 'ReadApiTokens', 'Resource'], '*', 'on everything'],
  ['a permission for every index', [...may('SweepSessionsRole'), 'FindDue', 'Resource'], '*', 'on everything'],
  ['access to API tokens for logout', [...LOGOUT, 9], read, 'permissions'],
  ['access to API tokens for sweep-sessions', [...may('SweepSessionsRole'), 9], read, 'permissions'],
  ['a list of all secrets for login', [...LOGIN, 9], { ...read, Action: 'secretsmanager:ListSecrets' }, 'permissions'],
  ['DeleteItem for logout', [...LOGOUT, 'KeepLedger', 'Action', 3], 'dynamodb:DeleteItem', 'permissions'],
  ['unsealing by the login role', [...LOGIN, 'Seal', 'Action'], ['kms:GenerateDataKey', 'kms:Decrypt'], 'permissions'],
  ["the secrets' key for logout", [...LOGOUT, 'Unseal', 'Resource', 'Fn::GetAtt', 0], 'SecretsKey', 'permissions'],
  ['sealing without context', [...LOGIN, 'Seal', 'Condition'], GONE, 'no other context'],
  [
    'sealing with a partial context',
    [...LOGIN, 'Seal', 'Condition', 'Null', 'kms:EncryptionContext:trust'],
    GONE,
    'the whole context',
  ],
  ['unsealing without context', [...LOGOUT, 'Unseal', 'Condition'], GONE, 'no other context'],
  ['decrypting outside Secrets Manager', [...LOGIN, 'DecryptSecrets', 'Condition', 'StringEquals'], GONE, 'by way of'],
  ['decrypting any secret', [...LOGIN, 'DecryptSecrets', 'Condition', 'ArnLike'], GONE, 'which'],
  ['events on any bus', [...may('SessionEventsRole'), 'TellOthers', 'Resource'], '*', 'on everything'],
  [
    'dead letters to another queue',
    [...may('SessionEventsRole'), 'GiveUpMessages', 'Resource', 'Fn::GetAtt', 0],
    'X',
    'permissions',
  ],
  ["another function's logs", [...LOGIN, 'WriteLogs', 'Resource', 'Fn::GetAtt', 0], 'LogoutLogGroup', 'permissions'],
  ['no permission to report failed invocations', [...LOGIN, 'ReportFailedInvocations'], GONE, 'permissions'],
  ['network permissions without a VPC', [...LOGIN, 9], { ...read, Action: 'ec2:DescribeSubnets' }, 'permissions'],
  ['a NotAction', [...LOGIN, 'KeepLedger', 'NotAction'], 's3:GetObject', 'NotAction'],
  ['a Deny instead of an Allow', [...LOGOUT, 'KeepLedger', 'Effect'], 'Deny', 'effect'],
  ['a policy outside the roles', ['Other'], { Type: 'AWS::IAM::ManagedPolicy', Properties: {} }, 'beside the roles'],
  ['an event bus policy', ['Other'], { Type: 'AWS::Events::EventBusPolicy', Properties: {} }, 'beside the roles'],
  ['a managed policy', ['LoginRole', 'Properties', 'ManagedPolicyArns'], ['x'], 'managed policies'],
  ['a role that anyone may assume', [...trust('LoginRole'), 'Principal'], '*', 'who may take it'],
  [
    'an unknown role',
    ['OtherRole'],
    { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: { Statement: [read] } }] } },
    'OtherRole',
  ],
  [
    'a schedule that invokes another function',
    [...SCHEDULE, 'Invoke', 'Resource', 'Fn::GetAtt', 0],
    'LoginLambdaFunction',
    'permissions',
  ],
  ['a schedule that invokes any function', [...SCHEDULE, 'Invoke', 'Resource'], '*', 'on everything'],
  [
    'a role for schedules of other accounts',
    [...trust('SweepScheduleRole'), 'Condition', 'StringEquals'],
    GONE,
    'whose name',
  ],
  [
    'a role for schedules of other groups',
    [...trust('CheckScheduleRole'), 'Condition', 'ArnEquals'],
    GONE,
    'whose name',
  ],
];

const context = (...keys: string[]) => ({ 'kms:EncryptionContextKeys': keys });
const UNSEAL = [...LEASE_KEY, 'Unseal', 'Condition'];

export const OF_KEYS: Change[] = [
  ['no rotation', ['LeaseKey', 'Properties', 'EnableKeyRotation'], false, 'rotation'],
  ['a key that is deleted with the stack', ['SecretsKey', 'DeletionPolicy'], 'Delete', 'with the stack'],
  ['no key for the secrets', ['SecretsKey'], GONE, 'no SecretsKey'],
  ['a permission for every action on the key', [...LEASE_KEY, 'Administer', 'Action'], 'kms:*', 'is for everybody'],
  ['grants by the administrators', [...LEASE_KEY, 'Administer', 'Action', 0], 'kms:CreateGrant', 'is for everybody'],
  ['unsealing by every principal', [...UNSEAL, 'ArnEquals'], GONE, 'is for everybody'],
  ['unsealing by every role', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], 'arn:aws:iam::1:role/*', 'role/*'],
  ['unsealing by a role from elsewhere', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], 'arn:x', 'arn:x'],
  [
    'unsealing with the login statement',
    [...LEASE_KEY, 'Seal', 'Action'],
    ['kms:GenerateDataKey', 'kms:Decrypt'],
    'use kms:Decrypt',
  ],
  [
    'an extra permission to encrypt',
    [...LEASE_KEY, 'Seal', 'Action'],
    ['kms:GenerateDataKey', 'kms:Encrypt'],
    'use others',
  ],
  ['a role that may not unseal', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], GONE, 'use kms:Decrypt'],
  ['a renamed role', ['LogoutRole', 'Properties', 'RoleName'], 'logout', 'LeaseKey: Unseal'],
  ['unsealing with any context', [...UNSEAL, 'ForAllValues:StringEquals'], GONE, 'no other context'],
  [
    'unsealing with an extra context key',
    [...UNSEAL, 'ForAllValues:StringEquals'],
    context('leaseId', 'array', 'host', 'trust', 'x'),
    'no other context',
  ],
  ['unsealing without context', [...UNSEAL, 'Null'], GONE, 'the whole context'],
  ['a permission for every account', [...LEASE_KEY, 'Seal', 'Principal'], { AWS: '*' }, 'who'],
  [
    "use of the secrets' key outside Secrets Manager",
    [...SECRETS_KEY, 'UseThroughSecretsManager', 'Condition', 'StringEquals', 'kms:ViaService'],
    GONE,
    'by way of',
  ],
  [
    "grants by the secrets' users",
    [...SECRETS_KEY, 'UseThroughSecretsManager', 'Action', 3],
    'kms:CreateGrant',
    'uses',
  ],
];
