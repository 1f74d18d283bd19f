/** The path of an event through rules, queue and function, and the destinations of failures. */
import * as events from '../../../../lib/leases/events.ts';
import { FUNCTIONS, logicalIdOf } from '../../../kit/packaged.ts';
import { arn, at, differs, GONE, idsOf, sub } from '../template.ts';
import { must, mustAll, only, type Rule, rule } from './rule.ts';

const FUNCTION = 'SessionDasheventsLambdaFunction';
const MAPPING = 'SessionDasheventsEventSourceMappingSQSRequestQueue';
const PATTERN = 'ExecutionRule/Properties/EventPattern';
const POLICY = 'RequestQueuePolicy/Properties/PolicyDocument/Statement';
const REDRIVE = { deadLetterTargetArn: arn('DeadLetterQueue'), maxReceiveCount: 5 };
const TWO_WEEKS_SECONDS = 14 * 86_400;

/** Failed invocations that the next schedule, or the caller, repeats better than Lambda. */
const NOT_REPEATED = ['call-array', 'sweep-sessions', 'check-fleet'];

/** Every failed invocation is kept: by the queue, or in the configured failure destination. */
const failureRules = FUNCTIONS.filter((name) => name !== 'session-events').flatMap((name) =>
  mustAll(`${logicalIdOf(name).replace(/Function$/, 'EvConf')}/Properties`, {
    FunctionName: logicalIdOf(name),
    'DestinationConfig/OnFailure/Destination': 'FailedInvocationQueue.Arn',
    MaximumRetryAttempts: NOT_REPEATED.includes(name) ? 0 : GONE,
  }),
);

/** Functions that may log in. */
const LOG_IN = ['login', 'call-array', 'renew', 'check-fleet'];

/**
 * A login that comes too late is useless. A logout never comes too late. Lambda keeps an invocation that it throttles, even without
 * retries: sweeps that waited for hours would all run at once, or after the stack was stopped.
 */
const ageRules = FUNCTIONS.filter((name) => name !== 'session-events').map((name) => {
  const path = `${logicalIdOf(name).replace(/Function$/, 'EvConf')}/Properties/MaximumEventAgeInSeconds`;
  if (name === 'sweep-sessions') return must(path, 300, GONE, 21_600);
  // The default, and the value in package-with.ts.
  return LOG_IN.includes(name) ? must(path, /^(3600|600)$/, GONE, 21_600) : must(path, GONE);
});

/** The alarm and the dashboard only read the queue's metrics. */
const READS = /^(DeadLettersAlarm|Dashboard)\//;

/** The paths at which a value refers to the dead-letter queue. */
function usesOf(value: unknown, path: string): string[] {
  if (at(value, 'Ref') === 'DeadLetterQueue' || at(value, 'Fn::GetAtt/0') === 'DeadLetterQueue') return [path];
  if (typeof value === 'string') return value.includes('DeadLetterQueue') ? [path] : [];
  return Object.entries(Object(value)).flatMap(([key, inner]) => usesOf(inner, `${path}/${key}`));
}

export const EVENT_RULES: Rule[] = [
  rule(
    'a state machine logs its failures, without their input and output',
    (template) =>
      idsOf(template, 'AWS::StepFunctions::StateMachine').map((id) => {
        const logging = at(template.Resources, `${id}/Properties/LoggingConfiguration`);
        const isLogged = ['ALL', 'ERROR', 'FATAL'].includes(String(at(logging, 'Level')));
        return [
          !isLogged && `${id}: has no log`,
          at(logging, 'IncludeExecutionData') === true && `${id}: logs input and output`,
        ];
      }),
    ['no log', 'Machine', { Type: 'AWS::StepFunctions::StateMachine', Properties: {} }, 'Machine: has no log'],
    [
      'input and output',
      'Machine',
      {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true } },
      },
      'Machine: logs input and output',
    ],
  ),
  only('AWS::Events::EventBusPolicy', 'SendersPolicy'),
  ...mustAll('SendersPolicy/Properties', {
    EventBusName: 'EventBus',
    // The account itself, which gives access only to principals that IAM also allows to send events.
    'Statement/Principal/AWS': 'arn:<Partition>:iam::<AccountId>:root',
    'Statement/Action': 'events:PutEvents',
    'Statement/Resource': 'EventBus.Arn',
  }),
  must(
    'SendersPolicy/Properties/Statement/Principal',
    { AWS: { 'Fn::Sub': sub('arn:<AWS::Partition>:iam::<AWS::AccountId>:root') } },
    '*',
  ),
  must('RequestRule/Properties/EventBusName', 'EventBus'),
  rule(
    'the request rule matches requests and releases from every source',
    ({ Resources }) =>
      differs('pattern', at(Resources, 'RequestRule/Properties/EventPattern'), {
        'detail-type': [events.DETAIL_TYPES.requested, events.DETAIL_TYPES.released],
      }),
    ['another detail type', 'RequestRule/Properties/EventPattern/detail-type/0', 'Session Wanted'],
    ['one source only', 'RequestRule/Properties/EventPattern/source', ['x']],
  ),
  // Step Functions publishes on the default bus.
  must('ExecutionRule/Properties/EventBusName', GONE),
  // A pattern without a value or with an empty prefix would match every execution in the account. An exact value that is no ARN matches none.
  must(
    `${PATTERN}/detail/stateMachineArn`,
    /^\[("stateMachineArnPrefix is not set"|\{"prefix":"arn:[^:]+:states:[^:]+:\d+:stateMachine:[^":]*"\})\]$/,
    ...[GONE, [], [{ prefix: '' }], [{ prefix: 'arn:' }], [{ prefix: 'arn:aws:states:' }], [{ exists: true }]],
  ),
  rule(
    'the execution rule matches every end of an execution, and no other change',
    ({ Resources }) =>
      differs('pattern', at(Resources, PATTERN), {
        source: [events.EXECUTION_SOURCE],
        'detail-type': [events.EXECUTION_DETAIL_TYPE],
        detail: {
          status: [...events.EXECUTION_ENDS],
          stateMachineArn: at(Resources, `${PATTERN}/detail/stateMachineArn`),
        },
      }),
    ['no aborted executions', `${PATTERN}/detail/status/3`, GONE],
    ['running executions', `${PATTERN}/detail/status/+`, 'RUNNING'],
  ),
  ...mustAll('AWS::Events::Rule/Properties', {
    State: GONE,
    'Targets/0/Arn': 'RequestQueue.Arn',
    'Targets/0/DeadLetterConfig/Arn': 'FailedEventQueue.Arn',
    'Targets/1': GONE,
  }),

  must('AWS::SQS::Queue/Properties/SqsManagedSseEnabled', true),
  must('RequestQueue/Properties/RedrivePolicy', REDRIVE, { ...REDRIVE, maxReceiveCount: 1 }),
  must('DeadLetterQueue/Properties/MessageRetentionPeriod', TWO_WEEKS_SECONDS),
  must('FailedEventQueue/Properties/MessageRetentionPeriod', TWO_WEEKS_SECONDS),
  must('FailedInvocationQueue/Properties/MessageRetentionPeriod', TWO_WEEKS_SECONDS),
  rule(
    'a message stays invisible for six times as long as its function may take',
    ({ Resources }) => {
      const visible = Number(at(Resources, 'RequestQueue/Properties/VisibilityTimeout'));
      const needed = 6 * Number(at(Resources, `${FUNCTION}/Properties/Timeout`));
      return !(visible >= needed) && `a visibility timeout of ${visible} s is less than ${needed} s`;
    },
    ['a shorter time', 'RequestQueue/Properties/VisibilityTimeout', 359, 'less than 360 s'],
    ['the default time', 'RequestQueue/Properties/VisibilityTimeout', GONE, 'less than 360 s'],
    ['a slower function', `${FUNCTION}/Properties/Timeout`, 61, 'less than 366 s'],
  ),
  only('AWS::SQS::QueuePolicy', 'RequestQueuePolicy'),
  rule(
    'only our two rules may write to the queues',
    ({ Resources }) =>
      differs('queue policy', at(Resources, POLICY), [
        {
          Sid: 'FromTheRules',
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: [arn('RequestQueue'), arn('FailedEventQueue')],
          Condition: { ArnEquals: { 'aws:SourceArn': [arn('RequestRule'), arn('ExecutionRule')] } },
        },
      ]),
    ['any rule', `${POLICY}/FromTheRules/Condition`, GONE],
    ['any principal', `${POLICY}/FromTheRules/Principal`, '*'],
    ['a rule that may not write', `${POLICY}/FromTheRules/Condition/ArnEquals/aws:SourceArn/1`, GONE],
  ),

  rule(
    'only SQS writes to the dead-letter queue, because it cannot move back a message that it did not move there',
    ({ Resources }) =>
      Object.keys(Resources).flatMap((id) =>
        usesOf(Resources[id], id)
          .filter((path) => path !== 'RequestQueue/Properties/RedrivePolicy/deadLetterTargetArn' && !READS.test(path))
          .map((path) => `${path} refers to the dead-letter queue`),
      ),
    ['letters', `${FUNCTION}/Properties/Environment/Variables/DEAD_LETTER_QUEUE`, { Ref: 'DeadLetterQueue' }, 'refers'],
    ['undeliverable events', 'AWS::Events::Rule/Properties/Targets/0/DeadLetterConfig/Arn', arn('DeadLetterQueue')],
    ['a permission', `${POLICY}/FromTheRules/Resource/+`, arn('DeadLetterQueue'), 'RequestQueuePolicy'],
    [
      'a role',
      'SessionEventsRole/Properties/Policies/0/PolicyDocument/Statement/GiveUpMessages/Resource',
      arn('DeadLetterQueue'),
    ],
    [
      'failed invocations',
      'LoginLambdaEvConf/Properties/DestinationConfig/OnFailure/Destination',
      arn('DeadLetterQueue'),
    ],
  ),
  only('AWS::Lambda::EventSourceMapping', MAPPING),
  ...mustAll(`${MAPPING}/Properties`, {
    EventSourceArn: 'RequestQueue.Arn',
    FunctionName: `${FUNCTION}.Arn`,
    Enabled: true,
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  }),
  // 2 to 1000, as AWS supports.
  must(`${MAPPING}/Properties/ScalingConfig/MaximumConcurrency`, /^([2-9]|\d\d|\d\d\d|1000)$/, GONE, 1, 1001),
  ...failureRules,
  ...ageRules,
];
