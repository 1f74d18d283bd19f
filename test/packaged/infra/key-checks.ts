/** Checks the policies of the two keys. */
import { contextFaults, SECRETS_MANAGER } from './access-checks.ts';
import { permissionsOf } from './permissions.ts';
import { at, differs, type Json, list, render, resourcesOf, type Template } from './template.ts';

/** Actions that reveal sealed content, or grant others access to it. */
const USES = /\*|^kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|Sign|CreateGrant)/;
/** The statement for programs that use the library. */
const PROGRAMS = 'SealAndUnsealInPrograms';

export const keyFaults = (template: Template): string[] => [
  ...['SecretsKey', 'LeaseKey']
    .filter((id) => template.Resources[id]?.Type !== 'AWS::KMS::Key')
    .map((id) => `no ${id}`),
  ...resourcesOf(template, 'AWS::KMS::Key').flatMap(([id, key]) => [
    ...differs(`${id}: rotation`, at(key, 'Properties', 'EnableKeyRotation'), true),
    ...differs(`${id}: what happens to it with the stack`, at(key, 'DeletionPolicy'), 'RetainExceptOnCreate'),
    ...list(at(key, 'Properties', 'KeyPolicy', 'Statement')).flatMap((statement) => [
      ...differs(`${id}: who`, render(at(statement, 'Principal', 'AWS')), 'arn:<Partition>:iam::<AccountId>:root'),
      ...useFaults(template, id, statement),
    ]),
  ]),
  ...leaseKeyUserFaults(template),
];

const usesIn = (statement: Json): string[] =>
  list(at(statement, 'Action'))
    .map(String)
    .filter((action) => USES.test(action))
    .sort();

const useFaults = (template: Template, id: string, statement: Json): string[] => {
  const uses = usesIn(statement);
  if (uses.length === 0) return [];
  const what = `${id}: ${String(at(statement, 'Sid'))}`;
  if (id === 'LeaseKey') return [...leaseKeyFaults(template, what, statement), ...contextFaults(what, statement)];
  const via = render(at(statement, 'Condition', 'StringEquals', 'kms:ViaService'));
  return [
    ...differs(`${what}: uses`, uses, ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']),
    ...differs(`${what}: by way of`, via, SECRETS_MANAGER),
  ];
};

const usersIn = (statement: Json): string[] =>
  list(at(statement, 'Condition', 'ArnEquals', 'aws:PrincipalArn')).map(render);

/** Every statement names principals, and only our roles, except the statement for programs. */
const leaseKeyFaults = (template: Template, what: string, statement: Json): string[] => {
  const users = usersIn(statement);
  if (users.length === 0) return [`${what}: is for everybody`];
  const ours = rolesByArn(template);
  const isPrograms = at(statement, 'Sid') === PROGRAMS;
  return users.filter((user) => ours.has(user) === isPrograms || user.includes('*')).map((user) => `${what}: ${user}`);
};

/** The key's policy and the roles agree on who may seal and who may unseal. */
const leaseKeyUserFaults = (template: Template): string[] =>
  ['kms:GenerateDataKey', 'kms:Decrypt', 'others'].flatMap((use) => {
    const isUse = (action: string): boolean =>
      use === 'others' ? !['kms:GenerateDataKey', 'kms:Decrypt'].includes(action) : action === use;
    const byKey = list(at(template.Resources['LeaseKey']?.Properties, 'KeyPolicy', 'Statement'))
      .filter((statement) => at(statement, 'Sid') !== PROGRAMS && usesIn(statement).some(isUse))
      .flatMap(usersIn);
    const byRoles = [...rolesByArn(template)]
      .filter(([, id]) =>
        permissionsOf(template.Resources[id]).some(
          ({ action, resource }) => resource === 'LeaseKey.Arn' && isUse(action),
        ),
      )
      .map(([arn]) => arn);
    return differs(`LeaseKey: who may use ${use}`, byKey.sort(), byRoles.sort());
  });

const rolesByArn = (template: Template): Map<string, string> =>
  new Map(
    resourcesOf(template, 'AWS::IAM::Role').map(([id, { Properties }]) => [
      `arn:<Partition>:iam::<AccountId>:role/${render(at(Properties, 'RoleName'))}`,
      id,
    ]),
  );
