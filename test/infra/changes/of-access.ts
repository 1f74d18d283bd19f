/** Changes that the checks of roles and keys must refuse. */
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
  ['every action', [...LOGIN, 'KeepLedger', 'Action'], '*', 'permissions'],
  ['every action of a service', [...LOGIN, 'KeepLedger', 'Action'], 'dynamodb:*', 'more than one action'],
  ['a misspelt action', [...LOGIN, 'ReadApiTokens', 'Action'], 'secretsmanager:GetSecretValues', 'permissions'],
  ['one action more', [...LOGIN, 'KeepLedger', 'Action', 3], 'dynamodb:Scan', 'permissions'],
  ['one action less', [...LOGIN, 'RemoveItems'], GONE, 'permissions'],
  ['every table', [...LOGIN, 'KeepLedger', 'Resource'], '*', 'on everything'],
  ['every secret', [...LOGIN, 'ReadApiTokens', 'Resource'], '*', 'on everything'],
  ['every index', [...may('SweepSessionsRole'), 'FindDue', 'Resource'], '*', 'on everything'],
  ['API tokens for logout', [...LOGOUT, 9], read, 'permissions'],
  ['API tokens for the sweeper', [...may('SweepSessionsRole'), 9], read, 'permissions'],
  ['names of secrets for login', [...LOGIN, 9], { ...read, Action: 'secretsmanager:ListSecrets' }, 'permissions'],
  ['removing for logout', [...LOGOUT, 'KeepLedger', 'Action', 3], 'dynamodb:DeleteItem', 'permissions'],
  ['unsealing for login', [...LOGIN, 'Seal', 'Action'], ['kms:GenerateDataKey', 'kms:Decrypt'], 'permissions'],
  ["the secrets' key for logout", [...LOGOUT, 'Unseal', 'Resource', 'Fn::GetAtt', 0], 'SecretsKey', 'permissions'],
  ['sealing without context', [...LOGIN, 'Seal', 'Condition'], GONE, 'no other context'],
  [
    'sealing with part of it',
    [...LOGIN, 'Seal', 'Condition', 'Null', 'kms:EncryptionContext:trust'],
    GONE,
    'the whole context',
  ],
  ['unsealing without context', [...LOGOUT, 'Unseal', 'Condition'], GONE, 'no other context'],
  ['decrypting beside Secrets Manager', [...LOGIN, 'DecryptSecrets', 'Condition', 'StringEquals'], GONE, 'by way of'],
  ['decrypting any secret', [...LOGIN, 'DecryptSecrets', 'Condition', 'ArnLike'], GONE, 'which'],
  ['events on another bus', [...may('SessionEventsRole'), 'TellOthers', 'Resource'], '*', 'on everything'],
  ['another queue', [...may('SessionEventsRole'), 'GiveUpMessages', 'Resource', 'Fn::GetAtt', 0], 'X', 'permissions'],
  ["another function's logs", [...LOGIN, 'WriteLogs', 'Resource', 'Fn::GetAtt', 0], 'LogoutLogGroup', 'permissions'],
  ['failures that Lambda may not report', [...LOGIN, 'ReportFailedInvocations'], GONE, 'permissions'],
  ['network interfaces without a VPC', [...LOGIN, 9], { ...read, Action: 'ec2:DescribeSubnets' }, 'permissions'],
  ['all but one action', [...LOGIN, 'KeepLedger', 'NotAction'], 's3:GetObject', 'NotAction'],
  ['a permission turned round', [...LOGOUT, 'KeepLedger', 'Effect'], 'Deny', 'effect'],
  ['a policy beside the roles', ['Other'], { Type: 'AWS::IAM::ManagedPolicy', Properties: {} }, 'beside the roles'],
  ['a bus for others', ['Other'], { Type: 'AWS::Events::EventBusPolicy', Properties: {} }, 'beside the roles'],
  ['a managed policy', ['LoginRole', 'Properties', 'ManagedPolicyArns'], ['x'], 'managed policies'],
  ['a role for anybody', [...trust('LoginRole'), 'Principal'], '*', 'who may take it'],
  [
    'a role that nobody knows',
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
  ['schedules of other accounts', [...trust('SweepScheduleRole'), 'Condition', 'StringEquals'], GONE, 'whose name'],
  ['schedules of other groups', [...trust('CheckScheduleRole'), 'Condition', 'ArnEquals'], GONE, 'whose name'],
];

const context = (...keys: string[]) => ({ 'kms:EncryptionContextKeys': keys });
const UNSEAL = [...LEASE_KEY, 'Unseal', 'Condition'];

export const OF_KEYS: Change[] = [
  ['no rotation', ['LeaseKey', 'Properties', 'EnableKeyRotation'], false, 'rotation'],
  ['a key that goes with the stack', ['SecretsKey', 'DeletionPolicy'], 'Delete', 'with the stack'],
  ['no key for the secrets', ['SecretsKey'], GONE, 'no SecretsKey'],
  ['every action on the key', [...LEASE_KEY, 'Administer', 'Action'], 'kms:*', 'is for everybody'],
  ['grants by the administrators', [...LEASE_KEY, 'Administer', 'Action', 0], 'kms:CreateGrant', 'is for everybody'],
  ['unsealing by everybody', [...UNSEAL, 'ArnEquals'], GONE, 'is for everybody'],
  ['unsealing by every role', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], 'arn:aws:iam::1:role/*', 'role/*'],
  ['unsealing by a role from elsewhere', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], 'arn:x', 'arn:x'],
  ['unsealing by login', [...LEASE_KEY, 'Seal', 'Action'], ['kms:GenerateDataKey', 'kms:Decrypt'], 'use kms:Decrypt'],
  ['encrypting besides', [...LEASE_KEY, 'Seal', 'Action'], ['kms:GenerateDataKey', 'kms:Encrypt'], 'use others'],
  ['a role that may not unseal', [...UNSEAL, 'ArnEquals', 'aws:PrincipalArn', 0], GONE, 'use kms:Decrypt'],
  ['a role that has another name', ['LogoutRole', 'Properties', 'RoleName'], 'logout', 'LeaseKey: Unseal'],
  ['unsealing with any context', [...UNSEAL, 'ForAllValues:StringEquals'], GONE, 'no other context'],
  [
    'unsealing with one key more',
    [...UNSEAL, 'ForAllValues:StringEquals'],
    context('leaseId', 'array', 'host', 'trust', 'x'),
    'no other context',
  ],
  ['unsealing without context', [...UNSEAL, 'Null'], GONE, 'the whole context'],
  ['another account', [...LEASE_KEY, 'Seal', 'Principal'], { AWS: '*' }, 'who'],
  [
    'secrets beside Secrets Manager',
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
