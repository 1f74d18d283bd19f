/** Changes that the checks of event rules, queues and mappings must detect. */
import { type Change, GONE } from './change.ts';

const REQUESTS = ['RequestRule', 'Properties'];
const EXECUTIONS = ['ExecutionRule', 'Properties'];
const QUEUE = ['RequestQueue', 'Properties'];
const MAPPING = ['SessionDasheventsEventSourceMappingSQSRequestQueue', 'Properties'];
const POLICY = ['RequestQueuePolicy', 'Properties', 'PolicyDocument', 'Statement', 'FromTheRules'];
const LOGIN = ['LoginLambdaEvConf', 'Properties'];

export const OF_EVENTS: Change[] = [
  ['a request rule on the default bus', [...REQUESTS, 'EventBusName'], GONE, 'RequestRule: bus'],
  [
    'a request rule for another detail type',
    [...REQUESTS, 'EventPattern', 'detail-type', 0],
    'Session Wanted',
    'pattern',
  ],
  ['a request rule for one source only', [...REQUESTS, 'EventPattern', 'source'], ['x'], 'pattern'],
  ['an execution rule on our bus', [...EXECUTIONS, 'EventBusName'], { Ref: 'EventBus' }, 'the default one'],
  [
    'an execution rule without aborted executions',
    [...EXECUTIONS, 'EventPattern', 'detail', 'status', 3],
    GONE,
    'pattern',
  ],
  [
    'an execution rule that includes running executions',
    [...EXECUTIONS, 'EventPattern', 'detail', 'status', 4],
    'RUNNING',
    'pattern',
  ],
  [
    'a state machine prefix that is not an ARN',
    [...EXECUTIONS, 'EventPattern', 'detail', 'stateMachineArn', 0, 'prefix'],
    'jobs',
    'begins no ARN',
  ],
  ['a disabled rule', [...EXECUTIONS, 'State'], 'DISABLED', 'state'],
  ['a rule to another queue', [...REQUESTS, 'Targets', 0, 'Arn', 'Fn::GetAtt', 0], 'DeadLetterQueue', 'targets'],
  ['a rule without a dead-letter queue', [...REQUESTS, 'Targets', 0, 'DeadLetterConfig'], GONE, 'targets'],
  ['a queue that any rule may write to', [...POLICY, 'Condition'], GONE, 'queue policies'],
  ['a queue that any principal may write to', [...POLICY, 'Principal'], '*', 'queue policies'],
  [
    'a rule that may not write to the queue',
    [...POLICY, 'Condition', 'ArnEquals', 'aws:SourceArn', 1],
    GONE,
    'queue policies',
  ],
  ['a visibility time-out that is too short', [...QUEUE, 'VisibilityTimeout'], 359, 'less than 360 s'],
  ['the default visibility time-out', [...QUEUE, 'VisibilityTimeout'], GONE, 'less than 360 s'],
  [
    'a function that is too slow for the visibility time-out',
    ['SessionDasheventsLambdaFunction', 'Properties', 'Timeout'],
    61,
    'less than 366 s',
  ],
  ['messages that are delivered forever', [...QUEUE, 'RedrivePolicy'], GONE, 'after failures'],
  ['messages that are delivered only once', [...QUEUE, 'RedrivePolicy', 'maxReceiveCount'], 1, 'after failures'],
  ['the default retention of dead letters', ['DeadLetterQueue', 'Properties', 'MessageRetentionPeriod'], GONE, 'keeps'],
  ['a queue without encryption', [...QUEUE, 'SqsManagedSseEnabled'], false, 'encryption'],
  ['batches of one', [...MAPPING, 'BatchSize'], 1, 'batch'],
  ['batches that fail as a whole', [...MAPPING, 'FunctionResponseTypes'], GONE, 'answer'],
  ['unlimited concurrency', [...MAPPING, 'ScalingConfig'], GONE, 'concurrency'],
  ['a mapping from another queue', [...MAPPING, 'EventSourceArn', 'Fn::GetAtt', 0], 'DeadLetterQueue', 'from'],
  ['a mapping to another function', [...MAPPING, 'FunctionName', 'Fn::GetAtt', 0], 'LoginLambdaFunction', 'to'],
  ['a queue that no function reads', [MAPPING[0] ?? ''], GONE, 'one event source mapping'],
  ['a function without a failure destination', [...LOGIN, 'DestinationConfig'], GONE, 'what failed goes'],
  ['another failure destination', [...LOGIN, 'DestinationConfig', 'OnFailure', 'Destination'], 'x', 'what failed goes'],
  ['retries of call-array', ['CallDasharrayLambdaEvConf', 'Properties', 'MaximumRetryAttempts'], 2, 'repetitions'],
  ['a logout without retries', ['LogoutLambdaEvConf', 'Properties', 'MaximumRetryAttempts'], 0, 'repetitions'],
];
