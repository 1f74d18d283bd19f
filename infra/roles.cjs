/**
 * One IAM role per function, with the permissions that the function needs and no others. Rows and permissions are in the order of
 * the table of permissions in docs/deploying.md, and a test compares that table with the template. permissions.yml defines each permission.
 */
const { logicalId, oslsId } = require('./names.cjs');

// biome-ignore format: a table
const PERMISSIONS = {
  'login': ['readApiTokens', 'decryptSecrets', 'seal', 'keepLedger', 'removeItems', 'reportFailedInvocations'],
  'logout': ['unseal', 'keepLedger', 'reportFailedInvocations'],
  'call-array': ['readApiTokens', 'decryptSecrets', 'seal', 'unseal', 'keepLedger', 'reportFailedInvocations'],
  'renew': ['readApiTokens', 'decryptSecrets', 'seal', 'unseal', 'keepLedger', 'reportFailedInvocations'],
  'session-events': ['readApiTokens', 'decryptSecrets', 'seal', 'unseal', 'keepLedger', 'removeItems', 'findByOwner',
    'takeRequests', 'giveUpMessages', 'tellOthers'],
  'sweep-sessions': ['unseal', 'keepLedger', 'removeItems', 'findDue', 'findByOwner', 'reportFailedInvocations'],
  'check-fleet': ['readApiTokens', 'listSecrets', 'decryptSecrets', 'seal', 'unseal', 'keepLedger', 'removeItems', 'findDue',
    'reportFailedInvocations'],
};

const role = (name, permissions) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    // A fixed name, because the policy of the leases' key refers to it.
    RoleName: { 'Fn::Sub': `\${AWS::StackName}-\${AWS::Region}-${name}` },
    PermissionsBoundary: '${file(infra/parameters.cjs):permissionsBoundary}',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      {
        PolicyName: name,
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [...permissions, 'connectToVpc'].map(defined).concat(writeLogs(name)),
        },
      },
    ],
  },
});

/** osls puts the statement from permissions.yml here, and refuses a name that is not in it. */
const defined = (permission) => `\${file(infra/permissions.yml):${permission}}`;

const writeLogs = (name) => ({
  Sid: 'WriteLogs',
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: { 'Fn::GetAtt': [`${oslsId(name)}LogGroup`, 'Arn'] },
});

exports.Resources = Object.fromEntries(
  Object.entries(PERMISSIONS).map(([name, permissions]) => [`${logicalId(name)}Role`, role(name, permissions)]),
);
