/** The results of Security Hub's controls in docs/security.md, and the policies for VPC endpoints, fit the template. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { template as packaged, type Template } from '../../kit/packaged.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { HOLDERS, IF_SET, permissionsOf, permissionTable } from './rules/permissions.ts';
import { variants } from './rules/rule.ts';
import { at, GONE, idsOf, list, places, render, settled } from './template.ts';

const byDefault = settled(packaged());
/** Conditions hide the security group from the settled template. */
const all = packaged();

type Control = {
  readonly passes: (template: Template) => boolean;
  /** A change of the template that reverses the result. */
  readonly planted: readonly [path: string, value: unknown];
};

/** Every place has this value, and there is at least one. */
const has =
  (pattern: string, fits: (value: unknown) => boolean) =>
  (of: Template): boolean =>
    places(of, pattern).length > 0 && places(of, pattern).every((path) => fits(at(of.Resources, path)));
const none =
  (type: RegExp) =>
  ({ Resources }: Template): boolean =>
    !Object.values(Resources).some(({ Type }) => type.test(Type));
const isSet = (value: unknown): boolean => value !== GONE;
const isTrue = (value: unknown): boolean => value === true;
/** No principal is everyone. */
const isPrivate = (statements: unknown): boolean =>
  list(statements).every((one) => at(one, 'Effect') === 'Deny' || !/"\*"/.test(JSON.stringify(at(one, 'Principal'))));
const everyone = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
const noPublicBucket: Control = {
  passes: has('AWS::S3::Bucket/Properties/PublicAccessBlockConfiguration', (value) => {
    return Object.values(Object(value)).length === 4 && Object.values(Object(value)).every(isTrue);
  }),
  planted: ['ServerlessDeploymentBucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy', false],
};
const noInbound: Control = {
  passes: has('AWS::EC2::SecurityGroup/Properties', (value) => at(value, 'SecurityGroupIngress') === GONE),
  planted: ['EgressSecurityGroup/Properties/SecurityGroupIngress', [{ CidrIp: '0.0.0.0/0' }]],
};
const noManagedPolicy: Control = {
  passes: none(/^AWS::IAM::(ManagedPolicy|Policy|UserPolicy)$/),
  planted: ['EventBus/Type', 'AWS::IAM::ManagedPolicy'],
};

const CONTROLS: Readonly<Record<string, Control>> = {
  'DynamoDB.1': {
    passes: has('AWS::DynamoDB::Table/Properties/BillingMode', (value) => value === 'PAY_PER_REQUEST'),
    planted: ['LeaseTable/Properties/BillingMode', 'PROVISIONED'],
  },
  'DynamoDB.2': {
    passes: has('AWS::DynamoDB::Table/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled', isTrue),
    planted: ['LeaseTable/Properties/PointInTimeRecoverySpecification', GONE],
  },
  'DynamoDB.6': {
    passes: has('AWS::DynamoDB::Table/Properties/DeletionProtectionEnabled', isTrue),
    planted: ['LeaseTable/Properties/DeletionProtectionEnabled', false],
  },
  'EC2.18': noInbound,
  'EC2.19': noInbound,
  'EventBridge.3': {
    passes: (of) =>
      idsOf(of, 'AWS::Events::EventBus').every((id) =>
        idsOf(of, 'AWS::Events::EventBusPolicy').some((policy) => {
          const { EventBusName, Statement } = Object(of.Resources[policy]?.Properties);
          return render(EventBusName) === id && isPrivate(Statement);
        }),
      ),
    planted: ['SendersPolicy', GONE],
  },
  'IAM.1': noManagedPolicy,
  'IAM.21': noManagedPolicy,
  'KMS.1': noManagedPolicy,
  'KMS.2': {
    passes: (of) =>
      HOLDERS.flatMap(({ role }) => permissionsOf(of, role))
        .filter(({ action }) => /^kms:(Decrypt|ReEncryptFrom|\*)$/.test(action))
        .every(({ resource }) => /^\w+Key\.Arn$/.test(resource)),
    planted: ['LogoutRole/Properties/Policies/0/PolicyDocument/Statement/Unseal/Resource', '*'],
  },
  'KMS.3': {
    passes: has('AWS::KMS::Key/DeletionPolicy', (value) => value === 'RetainExceptOnCreate'),
    planted: ['LeaseKey/DeletionPolicy', GONE],
  },
  'KMS.5': {
    passes: has('AWS::KMS::Key/Properties/KeyPolicy/Statement', isPrivate),
    planted: ['LeaseKey/Properties/KeyPolicy/Statement/+', everyone],
  },
  'Lambda.1': {
    passes: none(/^AWS::Lambda::(Permission|Url)$/),
    planted: ['EventBus/Type', 'AWS::Lambda::Permission'],
  },
  'Lambda.2': {
    passes: has('AWS::Lambda::Function/Properties/Runtime', (value) => value === 'nodejs24.x'),
    planted: ['LoginLambdaFunction/Properties/Runtime', 'nodejs16.x'],
  },
  'S3.2': noPublicBucket,
  'S3.3': noPublicBucket,
  'S3.8': noPublicBucket,
  'S3.6': {
    passes: has('AWS::S3::BucketPolicy/Properties/PolicyDocument/Statement', (value) =>
      list(value).every((one) => at(one, 'Effect') === 'Deny'),
    ),
    planted: ['ServerlessDeploymentBucketPolicy/Properties/PolicyDocument/Statement/+', everyone],
  },
  'S3.12': {
    passes: has('AWS::S3::Bucket/Properties', (value) => at(value, 'AccessControl') === GONE),
    planted: ['ServerlessDeploymentBucket/Properties/AccessControl', 'Private'],
  },
  'S3.5': {
    passes: has(
      'AWS::S3::BucketPolicy/Properties/PolicyDocument/Statement/0/Condition/Bool/aws:SecureTransport',
      (value) => !value,
    ),
    planted: [
      'ServerlessDeploymentBucketPolicy/Properties/PolicyDocument/Statement/0/Condition',
      { Bool: { 'aws:SecureTransport': true } },
    ],
  },
  'S3.9': {
    passes: has('AWS::S3::Bucket/Properties/LoggingConfiguration', isSet),
    planted: ['ServerlessDeploymentBucket/Properties/LoggingConfiguration', {}],
  },
  'S3.13': {
    passes: has('AWS::S3::Bucket/Properties/LifecycleConfiguration', isSet),
    planted: ['ServerlessDeploymentBucket/Properties/LifecycleConfiguration', {}],
  },
  'SNS.4': {
    passes: has('AWS::SNS::TopicPolicy/Properties/PolicyDocument/Statement', isPrivate),
    planted: ['AlarmTopicPolicy/Properties/PolicyDocument/Statement/+', everyone],
  },
  'SQS.1': {
    passes: has('AWS::SQS::Queue/Properties/SqsManagedSseEnabled', isTrue),
    planted: ['RequestQueue/Properties/SqsManagedSseEnabled', false],
  },
  'SQS.3': {
    passes: has('AWS::SQS::QueuePolicy/Properties/PolicyDocument/Statement', isPrivate),
    planted: ['RequestQueuePolicy/Properties/PolicyDocument/Statement/+', everyone],
  },
  'StepFunctions.1': {
    passes: has('AWS::StepFunctions::StateMachine/Properties/LoggingConfiguration/Level', (value) => value !== 'OFF'),
    planted: ['FleetCheck/Properties/LoggingConfiguration/Level', 'OFF'],
  },
};

/** Results that do not depend on the template: a setting of the stack, the subnets, and the secrets outside the stack. */
const ELSEWHERE = ['CloudFormation.3', 'Lambda.5', 'SecretsManager.1', 'SecretsManager.3', 'SecretsManager.4'];

describe("the page about security lists Security Hub's controls", () => {
  const rows = tableRows('control', page('security.md')).flatMap(([controls = '', result = '']) =>
    [...controls.matchAll(/`([\w.]+)`/g)].map(([, control = '']): [string, string] => [control, result]),
  );
  const subject = (control: string): Template => (control.startsWith('EC2') ? all : byDefault);

  it('and no other controls', () => {
    expect(rows.map(([control]) => control).sort()).toEqual([...Object.keys(CONTROLS), ...ELSEWHERE].sort());
  });

  it.each(rows.filter(([control]) => !ELSEWHERE.includes(control)))('%s: %s', (control, result) => {
    const { passes, planted } = CONTROLS[control] as Control;
    expect(passes(subject(control))).toBe(result === 'passes');
    const [changed] = variants(subject(control), ...planted);
    expect(passes(changed as Template), 'with a change that reverses the result').toBe(result !== 'passes');
  });
});

describe('the policies for VPC endpoints', () => {
  const DIRECTORY = resolve(ROOT, 'examples/vpc-endpoints');
  const policyOf = (file: string) => JSON.parse(readFileSync(resolve(DIRECTORY, file), 'utf8')).Statement;
  /** Lambda makes these calls itself, outside the VPC: it polls the queue and reports failed invocations. */
  const BY_LAMBDA = /^(sqs:(?!SendMessage)|logs:|ec2:|lambda:|xray:)/;

  test('allow exactly the actions that the functions call, and only in one account', () => {
    const files = readdirSync(DIRECTORY);
    const allowed = files.flatMap((file) => {
      const [statement, ...others] = policyOf(file);
      expect(others).toEqual([]);
      expect(Object.keys(statement.Condition.StringEquals)).toEqual(['aws:PrincipalAccount', 'aws:ResourceAccount']);
      expect(statement.Action.every((action: string) => file === `${action.split(':')[0]}.json`)).toBe(true);
      return statement.Action;
    });
    const called = HOLDERS.filter(({ service }) => service === 'lambda')
      .flatMap(({ role }) => permissionsOf(byDefault, role))
      .map(({ action }) => action)
      .concat(
        permissionTable().flatMap(([actions = '', , who = '']) => (who.endsWith(IF_SET) ? actions.split('`') : [])),
      )
      .filter((action) => action.includes(':') && !BY_LAMBDA.test(action));
    expect(allowed.sort()).toEqual([...new Set(called)].sort());
  });

  test('exist for exactly the endpoints that the page about deploying creates', () => {
    const text = page('deploying.md');
    const [, interfaces = '', also = ''] =
      /for service in ([\w ]+); do +# and (\w+), if.*\n.*create-vpc-endpoint/.exec(text) ?? [];
    const services = [...interfaces.split(' '), also, 'dynamodb'].sort();
    expect(readdirSync(DIRECTORY).sort()).toEqual(services.map((service) => `${service}.json`));
    expect(text).toContain(`for service in ${interfaces} dynamodb; do    # and ${also}, if`);
  });
});
