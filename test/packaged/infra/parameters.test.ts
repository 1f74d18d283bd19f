/** What the parameters change in the template, and what must hold for all parameters. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FUNCTIONS, type Template, template as templateIn, templatePath } from '../../kit/packaged.ts';
import { errorsIn } from './cloudformation.ts';
import { OTHERS, packageWith } from './package-with.ts';
import { ALARM_RULES } from './rules/alarms.ts';
import { EVENT_RULES } from './rules/events.ts';
import { KEY_RULES } from './rules/keys.ts';
import { permissionsOf, permissionTable, roleOf } from './rules/permissions.ts';
import { CONTEXT, ROLE_RULES } from './rules/roles.ts';
import { faultsOf } from './rules/rule.ts';
import { SCHEDULE_RULES } from './rules/schedules.ts';
import { at, GONE, idsOf, render, settled, withChange } from './template.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let directory: string;
let packaged: string;
let template: Template;
const byDefault = settled(templateIn());

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-parameters-'));
  packaged = await packageWith(OTHERS, directory);
  template = settled(templateIn(packaged));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const valueAt = (path: string, of = template): unknown => at(of.Resources, path);
/** The value at this path of each resource of a type. */
const valuesAt = (type: string, path: string, of = template): unknown[] =>
  idsOf(of, type).map((id) => valueAt(`${id}/Properties/${path}`, of));
const vpcsOf = (of: Template): unknown[] => valuesAt('AWS::Lambda::Function', 'VpcConfig', of);

describe('CloudFormation', () => {
  it('finds no error in the template with default or with other parameters', () => {
    expect(errorsIn(templatePath())).toEqual([]);
    expect(errorsIn(templatePath(packaged))).toEqual([]);
  });

  it('detects a missing resource and an unknown property', async () => {
    const broken = join(directory, 'broken.json');
    const without = withChange(byDefault, 'LeaseTable', GONE);
    await writeFile(broken, JSON.stringify(withChange(without, 'LeaseKey/Properties/Rotate', true)));
    const errors = errorsIn(broken);
    expect(errors).toContainEqual(expect.stringContaining('LeaseTable'));
    expect(errors).toContainEqual(expect.stringContaining('Rotate'));
  });
});

describe('with a value other than the default for every parameter', () => {
  it('all rules for keys, events, schedules and alarms hold', () => {
    expect(faultsOf(template, [...KEY_RULES, ...EVENT_RULES, ...SCHEDULE_RULES, ...ALARM_RULES])).toEqual([]);
  });

  it('each value appears in the right property of the template', () => {
    for (const variables of valuesAt('AWS::Lambda::Function', 'Environment/Variables')) {
      expect(variables).toMatchObject({
        SECRET_PREFIX: 'flashblade/eu/',
        SESSIONS_PER_ARRAY: '7',
        DUE_SHARDS: '16',
        MAX_LEASE_SECONDS: '3600',
        ARRAY_IDLE_SECONDS: '600',
      });
    }
    const reserved = idsOf(template, 'AWS::Lambda::Function').map((id) => [
      id,
      valueAt(`${id}/Properties/ReservedConcurrentExecutions`),
    ]);
    // Two sweeps may overlap, because each starts within a window, but never three.
    expect(reserved.filter(([, value]) => value !== GONE)).toEqual([
      ['SweepDashsessionsLambdaFunction', 2],
      ['CheckDashfleetLambdaFunction', 12],
    ]);
    const calls = valueAt('CallDasharrayLambdaFunction/Properties/Environment/Variables/ALLOWED_CALLS');
    expect(calls).toBe(OTHERS.allowedCalls);
    expect(valueAt('ExecutionRule/Properties/EventPattern/detail/stateMachineArn')).toEqual([
      { prefix: OTHERS.stateMachineArnPrefix },
    ]);
    expect(valueAt('SessionDasheventsLambdaFunction/Properties/Environment/Variables/MAX_REQUEST_AGE_SECONDS')).toBe(
      '600',
    );
    expect(valuesAt('AWS::Lambda::EventInvokeConfig', 'MaximumEventAgeInSeconds').sort()).toEqual([
      ...[300, ...Array(4).fill(600)],
      undefined,
    ]);
    expect(valuesAt('AWS::Lambda::EventSourceMapping', 'ScalingConfig/MaximumConcurrency')).toEqual([2]);
    expect(valueAt('CheckSchedule/Properties/ScheduleExpression')).toBe('rate(1 hour)');
    expect(valueAt('LeaseTable/Properties/DeletionProtectionEnabled')).toBe(false);
    expect(valuesAt('AWS::Lambda::Function', 'TracingConfig/Mode')).toEqual(Array(7).fill('Active'));
    expect(valuesAt('AWS::Lambda::Function', 'Code/S3Bucket')).toEqual(Array(7).fill('our-artifacts'));
    expect(idsOf(template, 'AWS::S3::Bucket')).toEqual([]);
    expect(valuesAt('AWS::Logs::LogGroup', 'RetentionInDays').map(Number)).toEqual(Array(8).fill(30));
    expect(valueAt('FleetCheck/Properties/Definition/States/Parts/MaxConcurrency')).toBe(12);
    expect(Number(valueAt('NoFleetCheckAlarm/Properties/EvaluationPeriods'))).toBe(3);
    expect(render(valueAt('Dashboard/Properties/DashboardBody'))).toContain(`(${OTHERS.runbook})`);
    expect(valueAt('StuckSessionsAlarm/Properties/AlarmDescription')).toContain(`${OTHERS.runbook}#stuck-sessions`);
  });
});

/** What infra/parameters.cjs returns for these parameters. */
const made = (name: string, given: Readonly<Record<string, string>>): Promise<unknown> =>
  createRequire(import.meta.url)('../../../infra/parameters.cjs')[name]({
    resolveVariable: async (address: string) => given[address.replace('param:', '')] ?? '',
  });

describe('the state machines whose executions own leases', () => {
  const madeOf = (stateMachineArnPrefix: string) => made('stateMachineArns', { stateMachineArnPrefix });
  const machines = 'arn:aws:states:eu-central-1:123456789012:stateMachine:';

  it('are none by default', async () => {
    const nothing = 'stateMachineArnPrefix is not set';
    expect(await madeOf('')).toBe(nothing);
    expect(valueAt('ExecutionRule/Properties/EventPattern/detail/stateMachineArn', byDefault)).toEqual([nothing]);
  });

  it('are the only ones whose executions a function may ask about, and only the sweeper may', () => {
    const asking = (of: Template) =>
      FUNCTIONS.map(roleOf).flatMap((id) =>
        permissionsOf(of, id).flatMap(({ action, resource }) =>
          action.startsWith('states:') ? [`${id}: ${action} on ${resource}`] : [],
        ),
      );
    const variable = 'SweepDashsessionsLambdaFunction/Properties/Environment/Variables/STATE_MACHINE_ARN_PREFIX';
    expect([valueAt(variable), valueAt(variable, byDefault)]).toEqual([OTHERS.stateMachineArnPrefix, '']);
    expect(asking(template)).toEqual([
      'SweepSessionsRole: states:DescribeExecution on arn:aws:states:eu-central-1:123456789012:execution:nightly-*',
    ]);
    expect(asking(byDefault)).toEqual([]);
    const rows = permissionTable().filter(([actions, , who]) => actions?.includes('states:') && who?.includes('`'));
    expect(rows.map(([actions, , who]) => [actions, who])).toEqual([
      ['`states:DescribeExecution`', '`sweep-sessions`, if that parameter is set'],
    ]);
  });

  it.each([machines, `${machines}nightly-`, ` ${machines}nightly `, `${machines.replace('aws', 'aws-us-gov')}x`])(
    'are those with the prefix %j',
    async (prefix) => expect(await madeOf(prefix)).toEqual({ prefix: prefix.trim() }),
  );

  it.each([
    ...['arn:', 'arn:aws:states:', 'nightly-', '*', `${machines}*`, `${machines}nightly:1`],
    ...[machines.replace('stateMachine', 'execution'), machines.replace('123456789012', ''), machines.slice(0, -1)],
  ])('cannot have the prefix %j', async (prefix) => {
    await expect(madeOf(prefix)).rejects.toThrow('stateMachineArnPrefix must be a prefix of state machine ARNs');
  });
});

describe('every role', () => {
  const boundariesOf = (of: Template): unknown[] => valuesAt('AWS::IAM::Role', 'PermissionsBoundary', of);

  it('has the given permissions boundary, and none by default', () => {
    expect(boundariesOf(template)).toEqual(Array(10).fill(OTHERS.permissionsBoundaryArn));
    expect(boundariesOf(byDefault)).toEqual(Array(10).fill(undefined));
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
    expect(valueAt('EgressSecurityGroup/Properties')).toMatchObject({
      VpcId: OTHERS.vpcId,
      SecurityGroupEgress: [
        { ...https, CidrIp: '10.1.0.0/16' },
        { ...https, CidrIpv6: 'fd00:1::/64' },
        { ...https, DestinationPrefixListId: 'pl-44444444' },
      ],
    });
    expect(byDefault.Resources).not.toHaveProperty('EgressSecurityGroup');
  });

  it('has only the security groups and the VPC that the parameters name', async () => {
    expect(await made('securityGroupIds', { vpcSecurityGroupIds: 'sg-1,sg-2,' })).toEqual(['sg-1', 'sg-2']);
    expect(await made('securityGroupIds', {})).toEqual([]);
    expect(await made('vpcId', { vpcId: 'vpc-1' })).toBe('vpc-1');
    expect(await made('vpcId', {})).toEqual({ Ref: 'AWS::NoValue' });
  });

  it('adds exactly the permissions to connect to a VPC to every function role', () => {
    const secrets = (of: Template): Template =>
      JSON.parse(JSON.stringify(of).replaceAll('flashblade/eu/', 'flashblade/'));
    expect(faultsOf(secrets(template), ROLE_RULES)).toEqual([]);
    const open = 'LoginRole/Properties/Policies/0/PolicyDocument/Statement/ConnectToVpc/Condition';
    const faults = faultsOf(withChange(secrets(template), open, GONE), ROLE_RULES).join();
    expect(faults).toContain('LoginRole: ec2:CreateNetworkInterface');
    const without = withChange(secrets(template), 'LoginLambdaFunction/Properties/VpcConfig', GONE);
    expect(faultsOf(without, ROLE_RULES).join()).toContain('LoginRole: permissions');
  });
});

describe('the alarm email', () => {
  it('goes to the address in the parameter, and is not sent by default', () => {
    expect(valueAt('AlarmSubscription/Properties')).toEqual({
      TopicArn: { Ref: 'AlarmTopic' },
      Protocol: 'email',
      Endpoint: OTHERS.alarmEmail,
    });
    expect(byDefault.Resources).not.toHaveProperty('AlarmSubscription');
  });
});

describe('programs that use the library', () => {
  const POLICY = 'LeaseKey/Properties/KeyPolicy/Statement';
  const PROGRAMS = `${POLICY}/SealAndUnsealInPrograms`;

  it("may use the leases' key if their roles are named, with the whole encryption context", () => {
    const statement = valueAt(PROGRAMS);
    expect(at(statement, 'Action')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt']);
    expect(at(statement, 'Condition')).toEqual({
      ...CONTEXT,
      ArnEquals: { 'aws:PrincipalArn': OTHERS.programRoleArns.split(', ') },
    });
  });

  it("may not use the leases' key by default", () => {
    expect(valueAt(POLICY, byDefault)).toHaveLength(3);
    expect(valueAt(PROGRAMS, byDefault)).toBeUndefined();
  });

  it('may not be named with a wildcard', () => {
    const open = withChange(template, `${PROGRAMS}/Condition/ArnEquals/aws:PrincipalArn/0`, 'arn:x:iam::1:role/*');
    expect(faultsOf(open, KEY_RULES).join()).toContain('role/*');
  });
});
