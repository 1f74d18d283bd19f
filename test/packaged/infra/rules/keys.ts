/** The policies of the two keys. */
import { at, differs, GONE, list, render } from '../template.ts';
import { HOLDERS, permissionsOf } from './permissions.ts';
import { CONTEXT, SECRETS_MANAGER } from './roles.ts';
import { must, mustAll, only, type Rule, rule } from './rule.ts';

const KEY = 'AWS::KMS::Key';
const LEASE_KEY = 'LeaseKey/Properties/KeyPolicy/Statement';
const SECRETS_KEY = 'SecretsKey/Properties/KeyPolicy/Statement';
const USERS = 'Condition/ArnEquals/aws:PrincipalArn';
const ACCOUNT = 'arn:<Partition>:iam::<AccountId>';
/** The statement for programs that use the library, in some deployments. */
const PROGRAMS = 'SealAndUnsealInPrograms';
/** No action that reveals sealed content, or grants others access to it. */
const NO_USE = /^(?!.*(\*|kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|Sign|CreateGrant)))/;

/** The statement for `action` demands the context of one lease, and names exactly the roles that have a permission for it. */
const useRules = (sid: string, action: string): Rule[] => [
  ...mustAll(`${LEASE_KEY}/${sid}`, {
    Action: action,
    'Condition/ForAllValues:StringEquals': CONTEXT['ForAllValues:StringEquals'],
    'Condition/Null': CONTEXT.Null,
  }),
  rule(
    `${sid}: the leases' key names exactly the roles that have ${action}`,
    (template) => {
      const roles = HOLDERS.filter(({ role }) =>
        permissionsOf(template, role).some((one) => one.action === action && one.resource === 'LeaseKey.Arn'),
      ).map(({ role }) => `${ACCOUNT}:role/${render(at(template.Resources, `${role}/Properties/RoleName`))}`);
      const users = list(at(template.Resources, `${LEASE_KEY}/${sid}/${USERS}`)).map(render);
      return differs(LEASE_KEY, users.sort(), roles.sort());
    },
    ['every principal', `${LEASE_KEY}/${sid}/Condition/ArnEquals`, GONE],
    ['every role', `${LEASE_KEY}/${sid}/${USERS}/0`, 'arn:aws:iam::1:role/*'],
    ['a role from elsewhere', `${LEASE_KEY}/${sid}/${USERS}/0`, 'arn:x'],
    ['a role that may not', `${LEASE_KEY}/${sid}/${USERS}/0`, GONE],
    ['a renamed role', 'RenewRole/Properties/RoleName', 'renew'],
  ),
];

export const KEY_RULES: Rule[] = [
  only(KEY, 'SecretsKey', 'LeaseKey'),
  ...mustAll(KEY, {
    'Properties/EnableKeyRotation': true,
    DeletionPolicy: 'RetainExceptOnCreate',
    'Properties/KeyPolicy/Statement/*/Principal/AWS': `${ACCOUNT}:root`,
  }),
  must(`${KEY}/Properties/KeyPolicy/Statement/Administer/Action`, NO_USE, 'kms:*', ['kms:CreateGrant']),
  ...mustAll(`${SECRETS_KEY}/UseThroughSecretsManager`, {
    Action: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'],
    'Condition/StringEquals/kms:ViaService': SECRETS_MANAGER,
  }),
  ...useRules('Seal', 'kms:GenerateDataKey'),
  ...useRules('Unseal', 'kms:Decrypt'),
  rule(
    'the policies of the keys have no other statements',
    ({ Resources }) => {
      const sids = (policy: string) =>
        list(at(Resources, policy))
          .map((statement) => at(statement, 'Sid'))
          .join();
      return [
        differs(SECRETS_KEY, sids(SECRETS_KEY), 'Administer,UseThroughSecretsManager'),
        differs(LEASE_KEY, sids(LEASE_KEY), /^Administer,Seal,Unseal(,SealAndUnsealInPrograms)?$/),
      ];
    },
    ["one for the secrets' key", `${SECRETS_KEY}/+`, { Sid: 'Seal' }],
    ["one for the leases' key", `${LEASE_KEY}/+`, { Sid: 'Seal' }],
  ),
  rule(
    "programs that use the leases' key are named by their roles, with the encryption context of one lease",
    ({ Resources }) => {
      const programs = at(Resources, `${LEASE_KEY}/${PROGRAMS}`);
      if (programs === GONE) return undefined;
      const users = list(at(programs, USERS)).map(render);
      // A role of ours has a `<` in its rendered ARN. Its statements are Seal and Unseal.
      const isNamed = users.length > 0 && users.every((user) => /^arn:[^*<]+$/.test(user));
      const { ArnEquals: _, ...context } = Object(at(programs, 'Condition'));
      return [!isNamed && `${PROGRAMS}: ${users}`, differs(PROGRAMS, context, CONTEXT)];
    },
    ['every role', `${LEASE_KEY}/+`, { Sid: PROGRAMS, Condition: byArn('arn:x:iam::1:role/*') }, 'role/*'],
    ['a role of ours', `${LEASE_KEY}/+`, { Sid: PROGRAMS, Condition: byArn(`${ACCOUNT}:role/x`) }, 'role/x'],
    ['no role', `${LEASE_KEY}/+`, { Sid: PROGRAMS, Condition: CONTEXT }, 'Programs: '],
    ['no context', `${LEASE_KEY}/+`, { Sid: PROGRAMS, Condition: { ArnEquals: {} } }, 'EncryptionContext'],
  ),
];

function byArn(role: string) {
  return { ...CONTEXT, ArnEquals: { 'aws:PrincipalArn': [role] } };
}
