/** What the parameters change in the template, and what must hold for all parameters. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { contextFaults, roleFaults } from './access-checks.ts';
import { alarmFaults } from './alarm-checks.ts';
import { withChange } from './changes/index.ts';
import { errorsIn } from './cloudformation.ts';
import { eventFaults } from './event-checks.ts';
import { keyFaults } from './key-checks.ts';
import { DEFAULT_TEMPLATE, OTHERS, packageWith } from './package-with.ts';
import { scheduleFaults } from './schedule-checks.ts';
import { settled } from './settled.ts';
import { at, type Json, readTemplate, render, resourcesOf, type Template } from './template.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let directory: string;
let path: string;
let byDefault: Template;
let template: Template;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-parameters-'));
  path = await packageWith(OTHERS, directory);
  template = settled(await readTemplate(path));
  byDefault = settled(await readTemplate(DEFAULT_TEMPLATE));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const properties = (id: string, of = template): Json | undefined => of.Resources[id]?.Properties;
const functionsOf = (of: Template): Json[] =>
  resourcesOf(of, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
const vpcsOf = (of: Template): (Json | undefined)[] => functionsOf(of).map((one) => at(one, 'VpcConfig'));

describe('CloudFormation', () => {
  it('finds no error in the template with default or with other parameters', () => {
    expect(errorsIn(DEFAULT_TEMPLATE)).toEqual([]);
    expect(errorsIn(path)).toEqual([]);
  });

  it('detects a missing resource and an unknown property', async () => {
    const broken = join(directory, 'broken.json');
    const without = withChange(byDefault, ['LeaseTable'], undefined);
    await writeFile(broken, JSON.stringify(withChange(without, ['LeaseKey', 'Properties', 'Rotate'], true)));
    const errors = errorsIn(broken);
    expect(errors).toContainEqual(expect.stringContaining('LeaseTable'));
    expect(errors).toContainEqual(expect.stringContaining('Rotate'));
  });
});

describe('with a value other than the default for every parameter', () => {
  it('all checks of keys, events, schedules and alarms pass', () => {
    for (const faults of [keyFaults, eventFaults, scheduleFaults, alarmFaults]) expect(faults(template)).toEqual([]);
  });

  it('each value appears in the right property of the template', () => {
    for (const one of functionsOf(template)) {
      expect(at(one, 'Environment', 'Variables')).toMatchObject({
        SECRET_PREFIX: 'flashblade/eu/',
        SESSIONS_PER_ARRAY: '7',
        MAX_LEASE_SECONDS: '3600',
        ARRAY_IDLE_SECONDS: '600',
      });
      expect(at(one, 'ReservedConcurrentExecutions')).toBeUndefined();
    }
    const calls = at(properties('CallDasharrayLambdaFunction'), 'Environment', 'Variables', 'ALLOWED_CALLS');
    expect(calls).toBe(OTHERS.allowedCalls);
    expect(at(properties('ExecutionRule'), 'EventPattern', 'detail', 'stateMachineArn')).toEqual([
      { prefix: OTHERS.stateMachineArnPrefix },
    ]);
    const [[, mapping] = []] = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(at(mapping?.Properties, 'ScalingConfig', 'MaximumConcurrency')).toBe(2);
    expect(at(properties('CheckSchedule'), 'ScheduleExpression')).toBe('rate(1 hour)');
    expect(at(properties('LeaseTable'), 'DeletionProtectionEnabled')).toBe(false);
    for (const [, group] of resourcesOf(template, 'AWS::Logs::LogGroup')) {
      expect(at(group.Properties, 'RetentionInDays')).toBe(30);
    }
    expect(Number(at(properties('NoFleetCheckAlarm'), 'EvaluationPeriods'))).toBe(3);
    expect(render(at(properties('Dashboard'), 'DashboardBody'))).toContain(`(${OTHERS.runbook})`);
    expect(at(properties('StuckSessionsAlarm'), 'AlarmDescription')).toContain(`${OTHERS.runbook}#stuck-sessions`);
  });
});

/** What infra/parameters.cjs returns for these parameters. */
const made = (name: string, given: Readonly<Record<string, string>>): Promise<unknown> =>
  createRequire(import.meta.url)('../../../infra/parameters.cjs')[name]({
    resolveVariable: async (address: string) => given[address.replace('param:', '')] ?? '',
  });

describe('every role', () => {
  const boundariesOf = (of: Template): (Json | undefined)[] =>
    resourcesOf(of, 'AWS::IAM::Role').map(([, { Properties }]) => at(Properties, 'PermissionsBoundary'));

  it('has the given permissions boundary, and none by default', () => {
    expect(boundariesOf(template)).toEqual(Array(9).fill(OTHERS.permissionsBoundaryArn));
    expect(boundariesOf(byDefault)).toEqual(Array(9).fill(undefined));
  });
});

describe('the VPC configuration', () => {
  const inVpc = {
    SubnetIds: ['subnet-11111111', 'subnet-22222222'],
    SecurityGroupIds: ['sg-33333333', { 'Fn::GetAtt': ['EgressSecurityGroup', 'GroupId'] }],
  };

  it('applies to every function, and to none by default', () => {
    expect(vpcsOf(template)).toEqual(Array(7).fill(inVpc));
    expect(vpcsOf(byDefault)).toEqual(Array(7).fill(undefined));
  });

  it('allows egress only by HTTPS and only to the named networks, and creates no security group by default', () => {
    const https = { Description: 'HTTPS', IpProtocol: 'tcp', FromPort: 443, ToPort: 443 };
    expect(properties('EgressSecurityGroup')).toMatchObject({
      VpcId: OTHERS.vpcId,
      SecurityGroupEgress: [
        { ...https, CidrIp: '10.1.0.0/16' },
        { ...https, CidrIpv6: 'fd00:1::/64' },
        { ...https, DestinationPrefixListId: 'pl-44444444' },
      ],
    });
    expect(byDefault.Resources).not.toHaveProperty('EgressSecurityGroup');
  });

  it('requires vpcId if the stack creates a security group', async () => {
    await expect(made('vpcId', { vpcEgress: '10.1.0.0/16' })).rejects.toThrow('vpcEgress needs vpcId');
    expect(await made('vpcId', { vpcEgress: '10.1.0.0/16', vpcId: 'vpc-1' })).toBe('vpc-1');
    expect(await made('vpcId', {})).toEqual({ Ref: 'AWS::NoValue' });
  });

  it('is refused without a security group', async () => {
    const alone = made('securityGroupIds', { vpcSubnetIds: 'subnet-1' });
    await expect(alone).rejects.toThrow('vpcSubnetIds needs vpcSecurityGroupIds, or vpcEgress and vpcId');
    expect(await made('securityGroupIds', { vpcSubnetIds: 'subnet-1', vpcSecurityGroupIds: 'sg-1,sg-2,' })).toEqual([
      'sg-1',
      'sg-2',
    ]);
    expect(await made('securityGroupIds', {})).toEqual([]);
  });

  it('adds exactly the permissions to connect to a VPC to every function role', () => {
    const secrets = (of: Template): Template =>
      JSON.parse(JSON.stringify(of).replaceAll('flashblade/eu/', 'flashblade/'));
    expect(roleFaults(secrets(template))).toEqual([]);
    const open = ['LoginRole', 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement', 'ConnectToVpc', 'Condition'];
    const faults = roleFaults(withChange(secrets(template), open, undefined)).join();
    expect(faults).toContain('LoginRole: ec2:CreateNetworkInterface');
    const without = withChange(secrets(template), ['LoginLambdaFunction', 'Properties', 'VpcConfig'], undefined);
    expect(roleFaults(without).join()).toContain('LoginRole: permissions');
  });
});

describe('the alarm email', () => {
  it('goes to the address in the parameter, and is not sent by default', () => {
    expect(properties('AlarmSubscription')).toEqual({
      TopicArn: { Ref: 'AlarmTopic' },
      Protocol: 'email',
      Endpoint: OTHERS.alarmEmail,
    });
    expect(byDefault.Resources).not.toHaveProperty('AlarmSubscription');
  });
});

describe('programs that use the library', () => {
  const statements = (of: Template): Json | undefined => at(properties('LeaseKey', of), 'KeyPolicy', 'Statement');
  const ofPrograms = (of: Template): Json | undefined => at(statements(of), 'SealAndUnsealInPrograms');

  it("may use the leases' key if their roles are named, with the whole encryption context", () => {
    const statement = ofPrograms(template) ?? null;
    expect(at(statement, 'Action')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt']);
    expect(at(statement, 'Condition', 'ArnEquals')).toEqual({
      'aws:PrincipalArn': ['arn:x:iam::1:role/one', 'arn:x:iam::1:role/two'],
    });
    expect(contextFaults('programs', statement)).toEqual([]);
  });

  it("may not use the leases' key by default", () => {
    expect(statements(byDefault)).toHaveLength(3);
    expect(ofPrograms(byDefault)).toBeUndefined();
  });

  it('may not be named with a wildcard', () => {
    const condition = ['LeaseKey', 'Properties', 'KeyPolicy', 'Statement', 'SealAndUnsealInPrograms', 'Condition'];
    const users = [...condition, 'ArnEquals', 'aws:PrincipalArn', 0];
    expect(keyFaults(withChange(template, users, 'arn:x:iam::1:role/*')).join()).toContain('role/*');
  });
});
