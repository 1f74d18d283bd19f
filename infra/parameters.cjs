/** Computes parameter values that osls variables cannot express. osls calls these functions when it packages the template. */
const parameterOf = async (resolveVariable, name) => String(await resolveVariable(`param:${name}`)).trim();

const listOf = async (resolveVariable, name) =>
  (await parameterOf(resolveVariable, name))
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

exports.programRoleArns = ({ resolveVariable }) => listOf(resolveVariable, 'programRoleArns');

/** Returns a number, because a state machine's definition must not contain the text of one. */
exports.checkConcurrency = async ({ resolveVariable }) => {
  const value = Number(await parameterOf(resolveVariable, 'checkConcurrency'));
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw new Error('the parameter checkConcurrency must be a whole number from 1 to 100');
};

exports.permissionsBoundary = async ({ resolveVariable }) =>
  (await parameterOf(resolveVariable, 'permissionsBoundaryArn')) || { Ref: 'AWS::NoValue' };

exports.subnetIds = ({ resolveVariable }) => listOf(resolveVariable, 'vpcSubnetIds');

/** Returns the specified security groups, plus the stack's own group if vpcEgress is set. */
exports.securityGroupIds = async ({ resolveVariable }) => {
  const subnets = await listOf(resolveVariable, 'vpcSubnetIds');
  const given = await listOf(resolveVariable, 'vpcSecurityGroupIds');
  const egress = await listOf(resolveVariable, 'vpcEgress');
  if (subnets.length > 0 && given.length + egress.length === 0) {
    throw new Error('the parameter vpcSubnetIds requires vpcSecurityGroupIds, or vpcEgress and vpcId');
  }
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
exports.vpcId = async ({ resolveVariable }) => {
  const vpcId = await parameterOf(resolveVariable, 'vpcId');
  if (vpcId !== '') return vpcId;
  if ((await listOf(resolveVariable, 'vpcEgress')).length === 0) return { Ref: 'AWS::NoValue' };
  throw new Error('the parameter vpcEgress requires vpcId, the id of the VPC that contains the subnets');
};
