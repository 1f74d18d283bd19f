/** What the parameters change in the template, and what must hold whatever they are. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import { tableRows } from '../readme.ts';
import { contextFaults, roleFaults } from './access-checks.ts';
import { withChange } from './changes/index.ts';
import { errorsIn } from './cloudformation.ts';
import { eventFaults } from './event-checks.ts';
import { keyFaults } from './key-checks.ts';
import { packageWith } from './package-with.ts';
import { permissionTable } from './permissions.ts';
import { scheduleFaults } from './schedule-checks.ts';
import { settled } from './settled.ts';
import { at, type Json, readTemplate, resourcesOf, type Template } from './template.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Every parameter, other than by default. */
const PARAMETERS = {
  secretPrefix: 'flashblade/eu/',
  sessionsPerArray: '7',
  maxLeaseSeconds: '3600',
  arrayIdleSeconds: '600',
  allowedCalls: 'GET /api/**, POST /api/2.*/file-systems',
  stateMachineArnPrefix: 'arn:x:states:x:1:stateMachine:nightly-',
  queueConcurrency: '2',
  checkRate: 'rate(1 hour)',
  reserveConcurrency: 'false',
  programRoleArns: 'arn:x:iam::1:role/one,arn:x:iam::1:role/two',
  vpcSubnetIds: 'subnet-11111111,subnet-22222222',
  vpcSecurityGroupIds: 'sg-33333333',
  deletionProtection: 'false',
  logRetentionInDays: '30',
};

let directory: string;
let path: string;
let byDefault: Template;
let template: Template;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-parameters-'));
  path = await packageWith(PARAMETERS, directory);
  template = settled(await readTemplate(path));
  byDefault = settled(await readTemplate(resolve(ROOT, '.serverless/cloudformation-template-update-stack.json')));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const properties = (id: string, of = template): Json | undefined => of.Resources[id]?.Properties;
const functionsOf = (of: Template): Json[] =>
  resourcesOf(of, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
const vpcsOf = (of: Template): (Json | undefined)[] => functionsOf(of).map((one) => at(one, 'VpcConfig'));

describe('with every parameter other than by default', () => {
  it('CloudFormation finds no error in the template', () => {
    expect(errorsIn(path)).toEqual([]);
  });

  it('what is allowed and connected stays as it must be', () => {
    for (const faults of [keyFaults, eventFaults, scheduleFaults]) expect(faults(template)).toEqual([]);
  });

  it('the values are where they work', () => {
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
    expect(calls).toBe(PARAMETERS.allowedCalls);
    expect(at(properties('ExecutionRule'), 'EventPattern', 'detail', 'stateMachineArn')).toEqual([
      { prefix: PARAMETERS.stateMachineArnPrefix },
    ]);
    const [[, mapping] = []] = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(at(mapping?.Properties, 'ScalingConfig', 'MaximumConcurrency')).toBe(2);
    expect(at(properties('CheckSchedule'), 'ScheduleExpression')).toBe('rate(1 hour)');
    expect(at(properties('LeaseTable'), 'DeletionProtectionEnabled')).toBe(false);
    for (const [, group] of resourcesOf(template, 'AWS::Logs::LogGroup')) {
      expect(at(group.Properties, 'RetentionInDays')).toBe(30);
    }
  });
});

describe('a VPC', () => {
  const inVpc = { SubnetIds: ['subnet-11111111', 'subnet-22222222'], SecurityGroupIds: ['sg-33333333'] };

  it('holds every function or none', () => {
    expect(vpcsOf(template)).toEqual(Array(7).fill(inVpc));
    expect(vpcsOf(byDefault)).toEqual(Array(7).fill(undefined));
  });

  it('brings every role of a function the permissions to connect it, and no other', () => {
    const secrets = (of: Template): Template =>
      JSON.parse(JSON.stringify(of).replaceAll('flashblade/eu/', 'flashblade/'));
    expect(roleFaults(secrets(template))).toEqual([]);
    const open = ['LoginRole', 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement', 'ConnectToVpc', 'Condition'];
    const told = roleFaults(withChange(secrets(template), open, undefined)).join();
    expect(told).toContain('LoginRole: ec2:CreateNetworkInterface');
    const without = withChange(secrets(template), ['LoginLambdaFunction', 'Properties', 'VpcConfig'], undefined);
    expect(roleFaults(without).join()).toContain('LoginRole: permissions');
  });
});

describe('programs that use the library', () => {
  const statements = (of: Template): Json | undefined => at(properties('LeaseKey', of), 'KeyPolicy', 'Statement');
  const ofPrograms = (of: Template): Json | undefined => at(statements(of), 'SealAndUnsealInPrograms');

  it('may use the key of leases if their roles are named, each for one lease at a time', () => {
    const statement = ofPrograms(template) ?? null;
    expect(at(statement, 'Action')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt']);
    expect(at(statement, 'Condition', 'ArnEquals')).toEqual({
      'aws:PrincipalArn': ['arn:x:iam::1:role/one', 'arn:x:iam::1:role/two'],
    });
    expect(contextFaults('programs', statement)).toEqual([]);
  });

  it('may not by default', () => {
    expect(statements(byDefault)).toHaveLength(3);
    expect(ofPrograms(byDefault)).toBeUndefined();
  });

  it('may not all be meant', () => {
    const everybody = ['LeaseKey', 'Properties', 'KeyPolicy', 'Statement', 'SealAndUnsealInPrograms', 'Condition'];
    const users = [...everybody, 'ArnEquals', 'aws:PrincipalArn', 0];
    expect(keyFaults(withChange(template, users, 'arn:x:iam::1:role/*')).join()).toContain('role/*');
  });
});

describe("the README's", () => {
  const lines = readFileSync(resolve(ROOT, 'serverless.yml'), 'utf8').split('\n');
  const section = lines.slice(lines.indexOf('params:'), lines.indexOf('provider:'));
  const declared = section.flatMap((line) => {
    const [, name, value = ''] = /^ {4}(\w+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value.replace(/^'(.*)'$/, '$1')]];
  });

  it('table of parameters has every one and its default, and these tests change each', () => {
    const rows = tableRows('parameter').map(([name = '', value = '']) =>
      [name, value].map((text) => text.replaceAll('`', '')),
    );
    expect(rows).toEqual(declared);
    expect(Object.keys(PARAMETERS)).toEqual(declared.map(([name]) => name));
  });

  it('table of permissions allows nothing that no role has', () => {
    for (const row of permissionTable()) {
      if (row[2]?.startsWith('every function in a VPC')) continue;
      const others = permissionTable().filter((other) => other.join() !== row.join());
      expect(roleFaults(byDefault, others).join()).toContain('permissions');
    }
    const more = ['`dynamodb:Scan`', 'the lease table', '`login`'];
    expect(roleFaults(byDefault, [...permissionTable(), more]).join()).toContain('LoginRole: permissions');
  });
});

describe('the outputs', () => {
  const NAMED = [
    ...['Login', 'Logout', 'CallArray', 'Renew', 'SessionEvents', 'SweepSessions', 'CheckFleet'].map(
      (name) => `${name}FunctionArn`,
    ),
    ...['EventBusArn', 'RequestQueueArn', 'DeadLetterQueueArn', 'FailedInvocationQueueArn'],
    ...['LeaseTableName', 'LeaseTableArn', 'LeaseKeyArn', 'SecretsKeyArn'],
  ];

  it('name what others need, and each is there', () => {
    const outputs = byDefault.Outputs ?? {};
    expect(Object.keys(outputs).filter((name) => name !== 'ServerlessDeploymentBucketName')).toEqual(NAMED);
    for (const [name, output] of Object.entries(outputs)) {
      const id = String(at(output, 'Value', 'Fn::GetAtt', 0) ?? at(output, 'Value', 'Ref'));
      expect(byDefault.Resources, name).toHaveProperty([id]);
    }
  });
});
