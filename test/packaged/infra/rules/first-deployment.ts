/** What a failed first deployment leaves behind must not block the next one. */
import type { Template } from '../../../kit/packaged.ts';
import { at, GONE } from '../template.ts';
import { must, type Rule, rule } from './rule.ts';

/** CloudFormation deletes what the failed deployment created, except resources with the policy `Retain`. */
const DELETED_AFTER_FAILURE = [GONE, 'Delete', 'RetainExceptOnCreate'];

/** Properties that set the physical name of a resource. A second resource with the same name cannot be created. */
const NAMES: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::EC2::SecurityGroup': 'GroupName',
  'AWS::Events::EventBus': 'Name',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::Role': 'RoleName',
  'AWS::KMS::Alias': 'AliasName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::Scheduler::ScheduleGroup': 'Name',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
};
/** Resources without a name of their own. */
const NAMELESS =
  /^AWS::(KMS::Key|Lambda::(EventInvokeConfig|EventSourceMapping)|S3::BucketPolicy|S(Q|N)S::\w*Policy|SNS::Subscription|Events::EventBusPolicy)$/;

const each =
  (find: (resource: Readonly<Record<string, unknown>>, id: string) => string | false) => (template: Template) =>
    Object.entries(template.Resources).map(([id, resource]) => find(resource, id));

const nameOf = (resource: Readonly<Record<string, unknown>>): unknown =>
  at(resource, `Properties/${NAMES[String(resource['Type'])]}`);

export const FIRST_DEPLOYMENT_RULES: Rule[] = [
  rule(
    'CloudFormation deletes every resource that a failed first deployment created',
    each(
      (resource, id) =>
        !DELETED_AFTER_FAILURE.includes(resource['DeletionPolicy'] as string) && `${id}: ${resource['DeletionPolicy']}`,
    ),
    ['a table that stays', 'LeaseTable/DeletionPolicy', 'Retain', 'LeaseTable: Retain'],
    ['keys that stay', 'AWS::KMS::Key/DeletionPolicy', 'Retain'],
    ['aliases that stay', 'AWS::KMS::Alias/DeletionPolicy', 'Retain'],
    ['log groups that stay', 'AWS::Logs::LogGroup/DeletionPolicy', 'Retain'],
    ['queues that stay', 'AWS::SQS::Queue/DeletionPolicy', 'Retain'],
    ['a bus that stays', 'EventBus/DeletionPolicy', 'Retain'],
    ['a bucket that stays', 'ServerlessDeploymentBucket/DeletionPolicy', 'Retain'],
  ),
  rule(
    'a resource that outlives its stack, or cannot be deleted, has a generated name',
    each((resource, id) => {
      const isProtected = at(resource, 'Properties/DeletionProtectionEnabled') === true;
      const stays = resource['DeletionPolicy'] === 'RetainExceptOnCreate' || isProtected;
      return stays && nameOf(resource) !== GONE && `${id}: has a fixed name`;
    }),
    ['a table with a name', 'LeaseTable/Properties/TableName', 'leases', 'LeaseTable: has a fixed name'],
    [
      'a log group that stays',
      'LoginLogGroup/DeletionPolicy',
      'RetainExceptOnCreate',
      'LoginLogGroup: has a fixed name',
    ],
    ['a bus that stays', 'EventBus/DeletionPolicy', 'RetainExceptOnCreate', 'EventBus: has a fixed name'],
    ['an alias that stays', 'LeaseKeyAlias/DeletionPolicy', 'RetainExceptOnCreate', 'LeaseKeyAlias: has a fixed name'],
  ),
  rule(
    'these rules know which property names each type of resource',
    each(
      ({ Type }, id) =>
        !(String(Type) in NAMES) && !NAMELESS.test(String(Type)) && `${id}: the type ${Type} is unknown`,
    ),
    ['another type', 'EventBus/Type', 'AWS::Kinesis::Stream', 'EventBus: the type'],
  ),
  // New accounts have a concurrency limit of 10, none of which can be reserved.
  must('AWS::Lambda::Function/Properties/ReservedConcurrentExecutions', GONE, 1),
];
