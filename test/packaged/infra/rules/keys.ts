/** The policies of the two keys. */
import type { Template } from '../../../kit/packaged.ts';
import { at, differs, GONE, idsOf, list, render } from '../template.ts';
import { permissionsOf } from './permissions.ts';
import { contextFaults, SECRETS_MANAGER } from './roles.ts';
import { must, only, type Rule, rule } from './rule.ts';

/** Actions that reveal sealed content, or grant others access to it. */
const USES = /\*|^kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|Sign|CreateGrant)/;
/** The statement for programs that use the library. */
const PROGRAMS = 'SealAndUnsealInPrograms';
const ACCOUNT = 'arn:<Partition>:iam::<AccountId>';

const KEY = 'AWS::KMS::Key';
const LEASE_KEY = 'LeaseKey/Properties/KeyPolicy/Statement';
const SECRETS_KEY = 'SecretsKey/Properties/KeyPolicy/Statement';
const USERS = 'Condition/ArnEquals/aws:PrincipalArn';
const UNSEAL = `${LEASE_KEY}/Unseal/Condition`;
const ANY_CONTEXT = { 'kms:EncryptionContextKeys': ['leaseId', 'array', 'host', 'trust', 'x'] };

const usersIn = (statement: unknown): string[] => list(at(statement, USERS)).map(render);
const usesIn = (statement: unknown): string[] =>
  list(at(statement, 'Action'))
    .map(String)
    .filter((action) => USES.test(action))
    .sort();

/** Faults of each statement that allows to use the key. */
const eachUse =
  (policy: string, faults: (statement: unknown, what: string, template: Template) => string[]) =>
  (template: Template): string[] =>
    list(at(template.Resources, policy))
      .filter((statement) => usesIn(statement).length > 0)
      .flatMap((statement) => faults(statement, `${policy}/${at(statement, 'Sid')}`, template));

/** The ids of our roles by ARN. */
const rolesByArn = (template: Template): Map<string, string> =>
  new Map(
    idsOf(template, 'AWS::IAM::Role').map((id) => [
      `${ACCOUNT}:role/${render(at(template.Resources, `${id}/Properties/RoleName`))}`,
      id,
    ]),
  );

/** Who may use the leases' key for these actions, by its policy and by the policies of the roles. */
function userFaults(template: Template, use: string, isMeant: (action: string) => boolean): string[] {
  const byKey = list(at(template.Resources, LEASE_KEY))
    .filter((statement) => at(statement, 'Sid') !== PROGRAMS && usesIn(statement).some(isMeant))
    .flatMap(usersIn);
  const byRoles = [...rolesByArn(template)].filter(([, id]) =>
    permissionsOf(template, id).some(({ action, resource }) => resource === 'LeaseKey.Arn' && isMeant(action)),
  );
  return differs(`LeaseKey: who may use ${use}`, byKey.sort(), byRoles.map(([roleArn]) => roleArn).sort());
}

export const KEY_RULES: Rule[] = [
  only(KEY, 'SecretsKey', 'LeaseKey'),
  must(`${KEY}/Properties/EnableKeyRotation`, true, false),
  must(`${KEY}/DeletionPolicy`, 'RetainExceptOnCreate', 'Delete'),
  must(`${KEY}/Properties/KeyPolicy/Statement/*/Principal/AWS`, `${ACCOUNT}:root`, '*'),
  rule(
    "the secrets' key is used only through Secrets Manager",
    eachUse(SECRETS_KEY, (statement, what) => [
      ...differs(`${what}: uses`, usesIn(statement), ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']),
      ...differs(`${what}: by way of`, at(statement, 'Condition/StringEquals/kms:ViaService'), SECRETS_MANAGER),
    ]),
    [
      'use by itself',
      `${SECRETS_KEY}/UseThroughSecretsManager/Condition/StringEquals/kms:ViaService`,
      GONE,
      'by way of',
    ],
    ['grants', `${SECRETS_KEY}/UseThroughSecretsManager/Action/+`, 'kms:CreateGrant', 'uses'],
  ),
  rule(
    "only named roles use the leases' key: ours, and those of programs in a statement of their own",
    eachUse(LEASE_KEY, (statement, what, template) => {
      const [users, ours] = [usersIn(statement), rolesByArn(template)];
      if (users.length === 0) return [`${what}: is for everybody`];
      const isPrograms = at(statement, 'Sid') === PROGRAMS;
      return users
        .filter((user) => ours.has(user) === isPrograms || user.includes('*'))
        .map((user) => `${what}: ${user}`);
    }),
    ['every action for administrators', `${LEASE_KEY}/Administer/Action`, 'kms:*', 'is for everybody'],
    ['grants by administrators', `${LEASE_KEY}/Administer/Action/0`, 'kms:CreateGrant', 'is for everybody'],
    ['unsealing by every principal', `${UNSEAL}/ArnEquals`, GONE, 'is for everybody'],
    ['unsealing by every role', `${LEASE_KEY}/Unseal/${USERS}/0`, 'arn:aws:iam::1:role/*', 'role/*'],
    ['unsealing by a role from elsewhere', `${LEASE_KEY}/Unseal/${USERS}/0`, 'arn:x', 'arn:x'],
    ['a renamed role', 'LogoutRole/Properties/RoleName', 'logout', `${LEASE_KEY}/Unseal`],
  ),
  rule(
    "the leases' key is used only with the encryption context of one lease",
    eachUse(LEASE_KEY, (statement, what) => contextFaults(what, statement)),
    ['unsealing with any context', `${UNSEAL}/ForAllValues:StringEquals`, GONE, 'no other context'],
    ['unsealing with an extra context key', `${UNSEAL}/ForAllValues:StringEquals`, ANY_CONTEXT, 'no other context'],
    ['unsealing without context', `${UNSEAL}/Null`, GONE, 'the whole context'],
  ),
  rule(
    "the policy of the leases' key and the roles agree on who may seal and who may unseal",
    (template) => [
      ...userFaults(template, 'kms:GenerateDataKey', (action) => action === 'kms:GenerateDataKey'),
      ...userFaults(template, 'kms:Decrypt', (action) => action === 'kms:Decrypt'),
      ...userFaults(template, 'others', (action) => !/^kms:(GenerateDataKey|Decrypt)$/.test(action)),
    ],
    ['unsealing with sealing', `${LEASE_KEY}/Seal/Action`, ['kms:GenerateDataKey', 'kms:Decrypt'], 'use kms:Decrypt'],
    ['encrypting', `${LEASE_KEY}/Seal/Action`, ['kms:GenerateDataKey', 'kms:Encrypt'], 'use others'],
    ['a role that may not unseal', `${LEASE_KEY}/Unseal/${USERS}/0`, GONE, 'use kms:Decrypt'],
  ),
];
