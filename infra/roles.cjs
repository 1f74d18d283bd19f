/**
 * One IAM role per function, with only the permissions that the function needs. Functions and permissions are in the same order as in
 * the permissions table in docs/deploying.md, which a test compares with the template. permissions.yml defines each permission.
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
    // The name is fixed, because the lease key's policy refers to the role by ARN.
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
          Statement: [...permissions, 'sendTraces', 'connectToVpc'].map(defined).concat(writeLogs(name)),
        },
      },
    ],
  },
});

/**
 * Returns a variable that osls replaces with the statement from permissions.yml. osls fails if that file does not define the permission.
 */
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
