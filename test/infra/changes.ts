/** The checks of a template, and for each of their rules a change of the template that it must refuse. */
import { keyFaults, roleFaults } from './access-checks.ts';
import { functionFaults, placeFaults } from './function-checks.ts';
import { tableFaults } from './table-checks.ts';
import { at, type Json, type Template } from './template.ts';

export const CHECKS = { functionFaults, placeFaults, roleFaults, keyFaults, tableFaults };

/** The check, what is changed, where, to what (undefined: it is gone), and what the check must say. */
export type Change = [
  check: keyof typeof CHECKS,
  what: string,
  path: (string | number)[],
  value: Json | undefined,
  told: string,
];

const LOGIN = ['LoginLambdaFunction', 'Properties'];
const LOGIN_MAY = ['LoginRole', 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'];
const LOGOUT_MAY = ['LogoutRole', 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'];
const LEASE_KEY = ['LeaseKey', 'Properties', 'KeyPolicy', 'Statement'];
const SECRETS_KEY = ['SecretsKey', 'Properties', 'KeyPolicy', 'Statement'];
const TABLE = ['LeaseTable', 'Properties'];
const GONE = undefined;
const context = (...keys: string[]) => ({ 'kms:EncryptionContextKeys': keys });
const mayRead = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' };

export const CHANGES: Change[] = [
  ['functionFaults', 'a time-out longer than Lambda allows', [...LOGIN, 'Timeout'], 901, '901 s'],
  ['functionFaults', 'no time-out', [...LOGIN, 'Timeout'], GONE, 'NaN s'],
  ['functionFaults', 'an old runtime', [...LOGIN, 'Runtime'], 'nodejs20.x', 'runtime'],
  ['functionFaults', 'another processor', [...LOGIN, 'Architectures'], ['x86_64'], 'architectures'],
  ['functionFaults', 'a wrong handler', [...LOGIN, 'Handler'], 'dist/functions/logn.handler', 'handler'],
  ['functionFaults', "another function's handler", [...LOGIN, 'Handler'], 'dist/functions/logout.handler', 'handler'],
  ['functionFaults', 'logs as text', [...LOGIN, 'LoggingConfig'], GONE, 'log format'],
  ['functionFaults', 'a shared role', [...LOGIN, 'Role', 'Fn::GetAtt', 0], 'LogoutRole', 'shares'],
  ['functionFaults', 'a role from elsewhere', [...LOGIN, 'Role'], 'arn:aws:iam::1:role/admin', 'not in the template'],
  ['functionFaults', 'no log group', ['LoginLogGroup'], GONE, 'no log group'],
  ['functionFaults', 'logs without end', ['LoginLogGroup', 'Properties', 'RetentionInDays'], GONE, 'for ever'],
  ['functionFaults', 'a token by name', [...LOGIN, 'Environment', 'Variables', 'API_TOKEN'], 'x', 'API_TOKEN'],
  ['functionFaults', 'a token by look', [...LOGIN, 'Environment', 'Variables', 'X'], 'T-0b1c2d3e-4f', 'variable X'],
  ['placeFaults', 'an account', [...LOGIN_MAY, 0, 'Resource'], 'arn:aws:s3:x:123456789012:y', 'LoginRole'],
  ['placeFaults', 'a region', [...LOGIN, 'Environment', 'Variables', 'X'], 'eu-west-1', 'LoginLambdaFunction'],
  ['roleFaults', 'every action', [...LOGIN_MAY, 3, 'Action'], '*', 'permissions'],
  ['roleFaults', 'every action of a service', [...LOGIN_MAY, 3, 'Action'], 'dynamodb:*', 'permissions'],
  ['roleFaults', 'a misspelt action', [...LOGIN_MAY, 0, 'Action'], 'secretsmanager:GetSecretValues', 'permissions'],
  ['roleFaults', 'one action more', [...LOGIN_MAY, 3, 'Action', 4], 'dynamodb:Scan', 'permissions'],
  ['roleFaults', 'every table', [...LOGIN_MAY, 3, 'Resource'], '*', 'permissions'],
  ['roleFaults', 'every secret', [...LOGIN_MAY, 0, 'Resource'], '*', 'permissions'],
  ['roleFaults', 'API tokens for logout', [...LOGOUT_MAY, 3], mayRead, 'permissions'],
  [
    'roleFaults',
    'unsealing for login',
    [...LOGIN_MAY, 2, 'Action'],
    ['kms:GenerateDataKey', 'kms:Decrypt'],
    'permissions',
  ],
  [
    'roleFaults',
    "the secrets' key for logout",
    [...LOGOUT_MAY, 0, 'Resource', 'Fn::GetAtt', 0],
    'SecretsKey',
    'permissions',
  ],
  ['roleFaults', 'sealing without context', [...LOGIN_MAY, 2, 'Condition'], GONE, 'no other context'],
  [
    'roleFaults',
    'sealing with part of it',
    [...LOGIN_MAY, 2, 'Condition', 'Null', 'kms:EncryptionContext:trust'],
    GONE,
    'the whole context',
  ],
  ['roleFaults', 'unsealing without context', [...LOGOUT_MAY, 0, 'Condition'], GONE, 'no other context'],
  [
    'roleFaults',
    'decrypting beside Secrets Manager',
    [...LOGIN_MAY, 1, 'Condition', 'StringEquals'],
    GONE,
    'by way of',
  ],
  ['roleFaults', 'decrypting any secret', [...LOGIN_MAY, 1, 'Condition', 'ArnLike'], GONE, 'which'],
  ['roleFaults', 'all but one action', [...LOGIN_MAY, 3, 'NotAction'], 's3:GetObject', 'NotAction'],
  ['roleFaults', 'a permission turned round', [...LOGOUT_MAY, 1, 'Effect'], 'Deny', 'effect'],
  [
    'roleFaults',
    'a policy beside the roles',
    ['Other'],
    { Type: 'AWS::IAM::ManagedPolicy', Properties: {} },
    'beside the roles',
  ],
  ['roleFaults', 'a managed policy', ['LoginRole', 'Properties', 'ManagedPolicyArns'], ['x'], 'managed policies'],
  [
    'roleFaults',
    'a role for anybody',
    ['LoginRole', 'Properties', 'AssumeRolePolicyDocument', 'Statement', 0, 'Principal'],
    '*',
    'who may take it',
  ],
  [
    'roleFaults',
    'a role that nobody knows',
    ['OtherRole'],
    { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: { Statement: [mayRead] } }] } },
    'OtherRole',
  ],
  ['keyFaults', 'no rotation', ['LeaseKey', 'Properties', 'EnableKeyRotation'], false, 'rotation'],
  ['keyFaults', 'a key that goes with the stack', ['SecretsKey', 'DeletionPolicy'], 'Delete', 'with the stack'],
  ['keyFaults', 'no key for the secrets', ['SecretsKey'], GONE, 'no SecretsKey'],
  ['keyFaults', 'every action on the key', [...LEASE_KEY, 0, 'Action'], 'kms:*', 'no role of ours'],
  ['keyFaults', 'grants by the administrators', [...LEASE_KEY, 0, 'Action', 0], 'kms:CreateGrant', 'no role of ours'],
  ['keyFaults', 'unsealing by everybody', [...LEASE_KEY, 2, 'Condition', 'ArnEquals'], GONE, 'no role of ours'],
  ['keyFaults', 'unsealing by login', [...LEASE_KEY, 1, 'Action'], 'kms:Decrypt', 'uses of LoginRole'],
  ['keyFaults', 'a role that has another name', ['LogoutRole', 'Properties', 'RoleName'], 'logout', 'no role of ours'],
  [
    'keyFaults',
    'unsealing with any context',
    [...LEASE_KEY, 2, 'Condition', 'ForAllValues:StringEquals'],
    GONE,
    'no other context',
  ],
  [
    'keyFaults',
    'unsealing with one key more',
    [...LEASE_KEY, 2, 'Condition', 'ForAllValues:StringEquals'],
    context('leaseId', 'array', 'host', 'trust', 'x'),
    'no other context',
  ],
  ['keyFaults', 'unsealing without context', [...LEASE_KEY, 2, 'Condition', 'Null'], GONE, 'the whole context'],
  ['keyFaults', 'another account', [...LEASE_KEY, 1, 'Principal'], { AWS: '*' }, 'who'],
  [
    'keyFaults',
    'secrets beside Secrets Manager',
    [...SECRETS_KEY, 1, 'Condition', 'StringEquals', 'kms:ViaService'],
    GONE,
    'by way of',
  ],
  ['keyFaults', "grants by the secrets' users", [...SECRETS_KEY, 1, 'Action', 3], 'kms:CreateGrant', 'uses'],
  ['tableFaults', 'no table', ['LeaseTable'], GONE, 'one table'],
  ['tableFaults', 'a table with a fixed throughput', [...TABLE, 'BillingMode'], 'PROVISIONED', 'billing'],
  ['tableFaults', 'no recovery', [...TABLE, 'PointInTimeRecoverySpecification'], GONE, 'recovery'],
  ['tableFaults', 'no encryption', [...TABLE, 'SSESpecification'], GONE, 'encryption'],
  ['tableFaults', 'a purge by another time', [...TABLE, 'TimeToLiveSpecification', 'AttributeName'], 'dueAt', 'purge'],
  ['tableFaults', 'a table that goes with the stack', ['LeaseTable', 'DeletionPolicy'], GONE, 'with the stack'],
  ['tableFaults', 'another key', [...TABLE, 'KeySchema', 0, 'AttributeName'], 'leaseId', 'key'],
  ['tableFaults', 'a missing index', [...TABLE, 'GlobalSecondaryIndexes', 2], GONE, 'indexes'],
  [
    'tableFaults',
    'an index of whole items',
    [...TABLE, 'GlobalSecondaryIndexes', 1, 'Projection', 'ProjectionType'],
    'ALL',
    'whole items',
  ],
];

/** A copy of the template with one change. */
export const withChange = (template: Template, path: (string | number)[], value: Json | undefined): Template => {
  const changed = structuredClone(template);
  const parent = at(changed.Resources, ...path.slice(0, -1));
  if (parent === undefined || parent === null || typeof parent !== 'object') {
    throw new Error(`${path.join('.')} is not in the template`);
  }
  Object.assign(parent, { [path.at(-1) ?? '']: value });
  // What was set to undefined is gone then.
  return JSON.parse(JSON.stringify(changed)) as Template;
};
