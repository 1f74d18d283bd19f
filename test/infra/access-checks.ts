/** Who may do what: every role and both keys, against the list of all that is allowed. */
import { at, differs, type Json, list, type Resource, render, resourcesOf, type Template } from './template.ts';

const CONTEXT_KEYS = ['leaseId', 'array', 'host', 'trust'];
const SECRETS = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:flashblade/*';
const SECRETS_MANAGER = 'secretsmanager.<Region>.<URLSuffix>';
const ITEMS = ['DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'].map((verb) => `dynamodb:${verb} on LeaseTable.Arn`);
const logs = (group: string): string[] =>
  ['CreateLogStream', 'PutLogEvents'].map((verb) => `logs:${verb} on ${group}.Arn`);

/** Everything that a function may do. What is not here is refused. */
export const ALLOWED: { readonly [role: string]: readonly string[] } = {
  LoginRole: [
    ...ITEMS,
    'kms:Decrypt on SecretsKey.Arn',
    'kms:GenerateDataKey on LeaseKey.Arn',
    ...logs('LoginLogGroup'),
    `secretsmanager:GetSecretValue on ${SECRETS}`,
  ],
  LogoutRole: [...ITEMS, 'kms:Decrypt on LeaseKey.Arn', ...logs('LogoutLogGroup')],
};

type Permission = {
  readonly text: string;
  readonly action: string;
  readonly resource: string;
  readonly statement: Json;
};

const permissionsOf = (role: Resource): Permission[] =>
  list(at(role.Properties, 'Policies'))
    .flatMap((policy) => list(at(policy, 'PolicyDocument', 'Statement')))
    .flatMap((statement) =>
      list(at(statement, 'Action')).flatMap((action) =>
        list(at(statement, 'Resource')).map((resource) => {
          const place = render(resource);
          return { text: `${String(action)} on ${place}`, action: String(action), resource: place, statement };
        }),
      ),
    );

/** Resources that would give access of which the roles do not tell. */
const BESIDE_ROLES = /^AWS::(IAM::(?!Role$)|SecretsManager::ResourcePolicy|Lambda::(Permission|Url)$)/;

export const roleFaults = (template: Template): string[] => [
  ...Object.entries(template.Resources)
    .filter(([, { Type }]) => BESIDE_ROLES.test(Type))
    .map(([id]) => `${id}: gives access beside the roles`),
  ...resourcesOf(template, 'AWS::IAM::Role').flatMap(([id, role]) => {
    const permissions = permissionsOf(role);
    return [
      ...differs(`${id}: permissions`, permissions.map(({ text }) => text).sort(), [...(ALLOWED[id] ?? [])].sort()),
      ...differs(`${id}: managed policies`, list(at(role.Properties, 'ManagedPolicyArns')), []),
      ...permissions.flatMap((permission) => shapeFaults(id, permission)),
      ...permissions.flatMap((permission) => conditionFaults(id, permission)),
      ...trustFaults(id, role),
    ];
  }),
];

/** Forms that say more than they list. */
const shapeFaults = (id: string, { statement }: Permission): string[] => [
  ...differs(`${id}: effect`, at(statement, 'Effect'), 'Allow'),
  ...['NotAction', 'NotResource']
    .filter((name) => at(statement, name) !== undefined)
    .map((name) => `${id}: has ${name}`),
];

const conditionFaults = (id: string, { action, resource, statement }: Permission): string[] => {
  if (resource === 'LeaseKey.Arn') return contextFaults(`${id}: ${action}`, statement);
  if (resource !== 'SecretsKey.Arn') return [];
  const condition = at(statement, 'Condition');
  const via = render(at(condition, 'StringEquals', 'kms:ViaService'));
  const secret = render(at(condition, 'ArnLike', 'kms:EncryptionContext:SecretARN'));
  return [
    ...differs(`${id}: ${action} of secrets, by way of`, via, SECRETS_MANAGER),
    ...differs(`${id}: ${action} of secrets, which`, secret, SECRETS),
  ];
};

/** The leases' key is used with exactly the context that seals a token: no key more, none less. */
const contextFaults = (what: string, statement: Json): string[] => {
  const condition = at(statement, 'Condition');
  const present = Object.fromEntries(CONTEXT_KEYS.map((key) => [`kms:EncryptionContext:${key}`, 'false']));
  return [
    ...differs(`${what}: no other context`, at(condition, 'ForAllValues:StringEquals'), {
      'kms:EncryptionContextKeys': CONTEXT_KEYS,
    }),
    ...differs(`${what}: the whole context`, at(condition, 'Null'), present),
  ];
};

const trustFaults = (id: string, role: Resource): string[] => {
  const statements = list(at(at(role.Properties, 'AssumeRolePolicyDocument'), 'Statement'));
  return differs(
    `${id}: who may take it`,
    statements.map((statement) => at(statement, 'Principal') ?? null),
    [{ Service: 'lambda.amazonaws.com' }],
  );
};

/** What each role may do with the leases' key. */
const LEASE_KEY_USES = { LoginRole: 'kms:GenerateDataKey', LogoutRole: 'kms:Decrypt' };
/** Actions that give the content of something sealed, or a way to give that away. */
const USES = /\*|^kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|Sign|CreateGrant)/;

export const keyFaults = (template: Template): string[] => [
  ...['SecretsKey', 'LeaseKey']
    .filter((id) => template.Resources[id]?.Type !== 'AWS::KMS::Key')
    .map((id) => `no ${id}`),
  ...resourcesOf(template, 'AWS::KMS::Key').flatMap(([id, key]) => [
    ...differs(`${id}: rotation`, at(key, 'Properties', 'EnableKeyRotation'), true),
    ...differs(`${id}: what happens to it with the stack`, at(key, 'DeletionPolicy'), 'Retain'),
    ...list(at(key, 'Properties', 'KeyPolicy', 'Statement')).flatMap((statement) => [
      ...differs(`${id}: who`, render(at(statement, 'Principal', 'AWS')), 'arn:<Partition>:iam::<AccountId>:root'),
      ...useFaults(template, id, statement),
    ]),
  ]),
];

const useFaults = (template: Template, id: string, statement: Json): string[] => {
  const uses = list(at(statement, 'Action'))
    .map(String)
    .filter((action) => USES.test(action));
  if (uses.length === 0) return [];
  const what = `${id}: ${String(at(statement, 'Sid'))}`;
  if (id === 'LeaseKey') return [...leaseKeyFaults(template, what, statement, uses), ...contextFaults(what, statement)];
  const via = render(at(statement, 'Condition', 'StringEquals', 'kms:ViaService'));
  return [
    ...differs(`${what}: uses`, uses.sort(), ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']),
    ...differs(`${what}: by way of`, via, SECRETS_MANAGER),
  ];
};

const leaseKeyFaults = (template: Template, what: string, statement: Json, uses: string[]): string[] => {
  const user = render(at(statement, 'Condition', 'ArnEquals', 'aws:PrincipalArn'));
  const role = Object.entries(LEASE_KEY_USES).find(([id]) => user === roleArn(template.Resources[id]));
  return role === undefined
    ? [`${what}: ${user} is no role of ours`]
    : differs(`${what}: uses of ${role[0]}`, uses, [role[1]]);
};

const roleArn = (role: Resource | undefined): string =>
  `arn:<Partition>:iam::<AccountId>:role/${render(at(role, 'Properties', 'RoleName'))}`;
