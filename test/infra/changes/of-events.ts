/** Changes that the checks of the way of an event must refuse. */
import { type Change, GONE } from './change.ts';

const REQUESTS = ['RequestRule', 'Properties'];
const EXECUTIONS = ['ExecutionRule', 'Properties'];
const QUEUE = ['RequestQueue', 'Properties'];
const MAPPING = ['SessionDasheventsEventSourceMappingSQSRequestQueue', 'Properties'];
const POLICY = ['RequestQueuePolicy', 'Properties', 'PolicyDocument', 'Statement', 'FromTheRules'];
const LOGIN = ['LoginLambdaEvConf', 'Properties'];

export const OF_EVENTS: Change[] = [
  ['requests on the default bus', [...REQUESTS, 'EventBusName'], GONE, 'RequestRule: bus'],
  ['requests of another name', [...REQUESTS, 'EventPattern', 'detail-type', 0], 'Session Wanted', 'pattern'],
  ['requests of one source only', [...REQUESTS, 'EventPattern', 'source'], ['x'], 'pattern'],
  ['executions on our bus', [...EXECUTIONS, 'EventBusName'], { Ref: 'EventBus' }, 'the default one'],
  ['executions that were aborted', [...EXECUTIONS, 'EventPattern', 'detail', 'status', 3], GONE, 'pattern'],
  ['executions that are running', [...EXECUTIONS, 'EventPattern', 'detail', 'status', 4], 'RUNNING', 'pattern'],
  [
    'state machines that have no ARN',
    [...EXECUTIONS, 'EventPattern', 'detail', 'stateMachineArn', 0, 'prefix'],
    'jobs',
    'begins no ARN',
  ],
  ['a rule that is off', [...EXECUTIONS, 'State'], 'DISABLED', 'state'],
  ['a rule to another queue', [...REQUESTS, 'Targets', 0, 'Arn', 'Fn::GetAtt', 0], 'DeadLetterQueue', 'targets'],
  ['events that are lost', [...REQUESTS, 'Targets', 0, 'DeadLetterConfig'], GONE, 'targets'],
  ['a queue that anybody writes into', [...POLICY, 'Condition'], GONE, 'queue policies'],
  ['a queue for any service', [...POLICY, 'Principal'], '*', 'queue policies'],
  ['a rule that may not write', [...POLICY, 'Condition', 'ArnEquals', 'aws:SourceArn', 1], GONE, 'queue policies'],
  ['messages that come twice', [...QUEUE, 'VisibilityTimeout'], 359, 'less than 360 s'],
  ['the visibility time-out of AWS', [...QUEUE, 'VisibilityTimeout'], GONE, 'less than 360 s'],
  ['a slower function', ['SessionDasheventsLambdaFunction', 'Properties', 'Timeout'], 61, 'less than 366 s'],
  ['messages that come for ever', [...QUEUE, 'RedrivePolicy'], GONE, 'after failures'],
  ['messages that come once', [...QUEUE, 'RedrivePolicy', 'maxReceiveCount'], 1, 'after failures'],
  ['dead letters for four days', ['DeadLetterQueue', 'Properties', 'MessageRetentionPeriod'], GONE, 'keeps'],
  ['a queue in plain text', [...QUEUE, 'SqsManagedSseEnabled'], false, 'encryption'],
  ['batches of one', [...MAPPING, 'BatchSize'], 1, 'batch'],
  ['batches that fail as a whole', [...MAPPING, 'FunctionResponseTypes'], GONE, 'answer'],
  ['no end of concurrency', [...MAPPING, 'ScalingConfig'], GONE, 'concurrency'],
  ['another queue', [...MAPPING, 'EventSourceArn', 'Fn::GetAtt', 0], 'DeadLetterQueue', 'from'],
  ['another function', [...MAPPING, 'FunctionName', 'Fn::GetAtt', 0], 'LoginLambdaFunction', 'to'],
  ['nobody who reads the queue', [MAPPING[0] ?? ''], GONE, 'one event source mapping'],
  ['failures that nobody sees', [...LOGIN, 'DestinationConfig'], GONE, 'what failed goes'],
  ['failures among the requests', [...LOGIN, 'DestinationConfig', 'OnFailure', 'Destination'], 'x', 'what failed goes'],
  ['calls repeated blindly', ['CallDasharrayLambdaEvConf', 'Properties', 'MaximumRetryAttempts'], 2, 'repetitions'],
  ['logouts that are not repeated', ['LogoutLambdaEvConf', 'Properties', 'MaximumRetryAttempts'], 0, 'repetitions'],
];
