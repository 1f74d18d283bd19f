/**
 * Computes parameter values that osls variables cannot express. osls calls these functions when it packages the template, after
 * check-parameters.cjs has checked every parameter.
 */
const parameterOf = async (resolveVariable, name) => String(await resolveVariable(`param:${name}`)).trim();

const listOf = async (resolveVariable, name) =>
  (await parameterOf(resolveVariable, name))
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

exports.programRoleArns = ({ resolveVariable }) => listOf(resolveVariable, 'programRoleArns');

/** Returns a number, because a state machine's definition must not contain the text of one. */
exports.checkConcurrency = async ({ resolveVariable }) =>
  Number(await parameterOf(resolveVariable, 'checkConcurrency'));

exports.permissionsBoundary = async ({ resolveVariable }) =>
  (await parameterOf(resolveVariable, 'permissionsBoundaryArn')) || { Ref: 'AWS::NoValue' };

const STATE_MACHINES = /^arn:[^:]+:states:[^:]+:\d+:stateMachine:[^:*?\s]*$/;

/**
 * Returns the pattern that the execution rule applies to state machine ARNs. By default, the pattern matches no ARN, because every
 * matching execution costs a message and a ledger item, even if it owns no lease.
 */
exports.stateMachineArns = async ({ resolveVariable }) => {
  const prefix = await parameterOf(resolveVariable, 'stateMachineArnPrefix');
  if (prefix === '') return 'stateMachineArnPrefix is not set';
  if (STATE_MACHINES.test(prefix)) return { prefix };
  throw new Error(
    'the parameter stateMachineArnPrefix must be a prefix of state machine ARNs, such as arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-',
  );
};

/** Returns the statement that allows the sweeper to describe these state machines' executions. */
exports.askAboutExecutions = async ({ resolveVariable }) => {
  const { prefix } = await exports.stateMachineArns({ resolveVariable });
  if (prefix === undefined) return { Ref: 'AWS::NoValue' };
  const Resource = `${prefix.replace(':stateMachine:', ':execution:')}*`;
  return { Sid: 'AskAboutExecutions', Effect: 'Allow', Action: 'states:DescribeExecution', Resource };
};

/** Returns the tags as an object, from a list such as team=storage,cost-center=42. */
exports.stackTags = async ({ resolveVariable }) =>
  Object.fromEntries(
    (await listOf(resolveVariable, 'stackTags')).map((tag) => {
      const [key, ...value] = tag.split('=');
      return [key, value.join('=')];
    }),
  );

/** Returns the bucket for the deployment's files. Without a name, osls creates the bucket. */
exports.deploymentBucket = async ({ resolveVariable }) => {
  const name = await parameterOf(resolveVariable, 'deploymentBucket');
  return name === '' ? { blockPublicAccess: true } : { name };
};

exports.subnetIds = ({ resolveVariable }) => listOf(resolveVariable, 'vpcSubnetIds');

/** Returns the specified security groups, plus the stack's own group if vpcEgress is set. */
exports.securityGroupIds = async ({ resolveVariable }) => {
  const given = await listOf(resolveVariable, 'vpcSecurityGroupIds');
  const egress = await listOf(resolveVariable, 'vpcEgress');
  return egress.length === 0 ? given : [...given, { 'Fn::GetAtt': ['EgressSecurityGroup', 'GroupId'] }];
};

/** Returns egress rules for the stack's own security group, which allow only HTTPS to the networks in vpcEgress. */
exports.egressRules = async ({ resolveVariable }) =>
  (await listOf(resolveVariable, 'vpcEgress')).map((item) => ({
    Description: 'HTTPS',
    IpProtocol: 'tcp',
    FromPort: 443,
    ToPort: 443,
    ...destination(item),
  }));

const destination = (item) => {
  if (item.startsWith('pl-')) return { DestinationPrefixListId: item };
  return item.includes(':') ? { CidrIpv6: item } : { CidrIp: item };
};

/** Returns the VPC for the stack's own security group. */
exports.vpcId = async ({ resolveVariable }) => (await parameterOf(resolveVariable, 'vpcId')) || { Ref: 'AWS::NoValue' };
