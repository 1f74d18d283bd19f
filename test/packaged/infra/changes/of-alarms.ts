/** Changes that the checks of alarms and dashboard must detect. */
import { sub } from '../template.ts';
import { type Change, GONE } from './change.ts';

const STUCK = ['StuckSessionsAlarm', 'Properties'];
const NO_SWEEP = ['NoSweepAlarm', 'Properties'];
const ALTERED = ['AlteredLeaseAlarm', 'Properties'];
const CERTIFICATE = ['CertificateEndsAlarm', 'Properties'];
const NO_CHECK = ['NoFleetCheckAlarm', 'Properties'];
const LETTERS = ['DeadLettersAlarm', 'Properties'];
const LOGIN = ['LoginErrorsAlarm', 'Properties'];
const THROTTLES = ['LoginThrottlesAlarm', 'Properties'];
const STATEMENT = ['AlarmTopicPolicy', 'Properties', 'PolicyDocument', 'Statement'];
const PUBLISH = [...STATEMENT, 'FromTheAlarms'];

export const OF_ALARMS: Change[] = [
  ['a misspelt metric', [...STUCK, 'MetricName'], 'StuckLeasse', 'nobody emits'],
  ['a metric that exists only per array', [...STUCK, 'MetricName'], 'ArrayHealthy', 'nobody emits'],
  ['a wrong namespace', [...STUCK, 'Namespace'], 'FlashbladeSessions', 'nobody emits'],
  ['another stage', [...STUCK, 'Dimensions', 0, 'Value'], 'flashblade-sessions-prod', 'dimension service'],
  ['a wrong dimension', [...STUCK, 'Dimensions', 0, 'Name'], 'Service', 'dimension service'],
  ['an extra dimension', [...STUCK, 'Dimensions', 1], { Name: 'function', Value: 'x' }, 'with the dimensions'],
  [
    'an array dimension on an event that is counted for the fleet only',
    [...NO_SWEEP, 'Dimensions', 1],
    { Name: 'array', Value: 'x' },
    'with the',
  ],
  ['a sum of a gauge', [...STUCK, 'Statistic'], 'Sum', 'makes no sense'],
  ['an average of events', [...ALTERED, 'Statistic'], 'Average', 'makes no sense'],
  ['a maximum of certificate days', [...CERTIFICATE, 'Statistic'], 'Maximum', 'makes no sense'],
  ['no statistic', [...STUCK, 'Statistic'], GONE, 'no statistic'],
  ['a wrong unit', [...STUCK, 'Unit'], 'Seconds', 'unit'],
  ['an alarm without action', [...STUCK, 'AlarmActions'], GONE, 'StuckSessionsAlarm: tells'],
  [
    'an alarm that notifies another topic',
    [...STUCK, 'AlarmActions', 0, 'Ref'],
    'OtherTopic',
    'StuckSessionsAlarm: tells',
  ],
  ['a disabled alarm', [...STUCK, 'ActionsEnabled'], false, 'is on'],
  ['an alarm that does not report its end', [...STUCK, 'OKActions'], GONE, 'tells of the end'],
  ['an alarm on an event that reports its end', [...ALTERED, 'OKActions'], [{ Ref: 'AlarmTopic' }], 'tells of the end'],
  ['a missing sweep that counts as success', [...NO_SWEEP, 'TreatMissingData'], GONE, 'what is missing'],
  [
    'a missing fleet check that counts as success',
    [...NO_CHECK, 'TreatMissingData'],
    'notBreaching',
    'what is missing',
  ],
  ['dead letters that are forgotten', [...LETTERS, 'TreatMissingData'], 'notBreaching', 'what is missing'],
  ['no threshold', [...STUCK, 'Threshold'], GONE, 'no threshold'],
  ['a reversed comparison', [...CERTIFICATE, 'ComparisonOperator'], 'GreaterThanThreshold', 'compares'],
  ['more points than periods', [...ALTERED, 'DatapointsToAlarm'], 2, 'never has'],
  ['a window of eight days', [...NO_CHECK, 'EvaluationPeriods'], 192, 'looks at'],
  ['a window shorter than two checks', [...NO_CHECK, 'Period'], 600, 'too few'],
  ['a name without the stack', [...STUCK, 'AlarmName'], 'stuck-sessions', 'its name'],
  ['no description', [...STUCK, 'AlarmDescription'], GONE, 'what it means'],
  [
    'a missing runbook section',
    [...STUCK, 'AlarmDescription'],
    'Something is wrong somewhere. docs/operations.md#stuck-session',
    'no section stuck-session',
  ],
  ['an error without an alarm', ['SuspectSessionAlarm'], GONE, 'watches SuspectRecorded'],
  ['an error whose alarm is removed', ['StuckSessionsAlarm'], GONE, 'watches StuckLeases'],
  ['a queue without an alarm', ['FailedInvocationsAlarm'], GONE, 'FailedInvocationQueue'],
  ['a function without a throttle alarm', ['LogoutThrottlesAlarm'], GONE, 'Throttles of LogoutLambdaFunction'],
  [
    'an alarm on a function that does not exist',
    [...THROTTLES, 'Dimensions', 0, 'Value', 'Ref'],
    'LoginFunction',
    'with the dim',
  ],
  ['a metric that Lambda does not emit', [...THROTTLES, 'MetricName'], 'Throttle', 'nobody emits'],
  ['a misspelt id in an expression', [...LOGIN, 'Metrics', 1, 'Id'], 'error', 'uses'],
  ['two results of an expression', [...LOGIN, 'Metrics', 1, 'ReturnData'], GONE, 'results'],
  ['a key that CloudWatch may not use', ['AlarmTopic', 'Properties', 'KmsMasterKeyId'], 'alias/aws/sns', 'AlarmTopic'],
  ['a topic that anyone may publish to', [...PUBLISH, 'Principal'], '*', 'topic policies'],
  ['a topic for alarms of other accounts', [...PUBLISH, 'Condition', 'StringEquals'], GONE, 'topic policies'],
  ['a topic for alarms of other stacks', [...PUBLISH, 'Condition', 'ArnLike'], GONE, 'topic policies'],
  [
    'a topic that anyone may subscribe to',
    [...STATEMENT, 1],
    { Effect: 'Allow', Principal: '*', Action: 'sns:Subscribe' },
    'topic',
  ],
];

const BODY = ['Dashboard', 'Properties', 'DashboardBody', 'Fn::Sub'];
const widget = (properties: object, box: object = {}): string =>
  JSON.stringify({
    widgets: [
      {
        type: 'metric',
        ...{ x: 0, y: 0, width: 6, height: 6 },
        ...box,
        properties: { title: 'it', region: sub('<AWS::Region>'), ...properties },
      },
    ],
  });
const SERVICE = ['service', 'flashblade-sessions-test'];
const metric = (...line: unknown[]): string => widget({ metrics: [line] });
const search = (what: string): string => metric({ expression: `SEARCH('${what}', 'Maximum', 60)` });
const log = (query: string): string =>
  JSON.stringify({ widgets: [{ type: 'log', x: 0, y: 0, width: 6, height: 6, properties: { query } }] });

export const OF_DASHBOARD: Change[] = [
  ['a body that is not JSON', BODY, '{ "widgets": [', 'no JSON'],
  [
    'a name that is not unique to the region',
    ['Dashboard', 'Properties', 'DashboardName'],
    { Ref: 'AWS::StackName' },
    'name',
  ],
  ['a widget outside the grid', BODY, widget({}, { x: 20 }), 'not on the grid'],
  ['another region', BODY, widget({ region: sub('<AWS::Partition>') }), 'it: region'],
  ['a hard-coded region', BODY, widget({ region: 'eu-west-1' }), 'account or a region'],
  ['a hard-coded account', BODY, widget({ accountId: '123456789012' }), 'account or a region'],
  ['an empty widget', BODY, widget({}), 'shows nothing'],
  [
    'a misspelt metric',
    BODY,
    metric('FlashBladeSessions', 'LoginSucceded', ...SERVICE, { stat: 'Sum' }),
    'nobody emits',
  ],
  ['a sum of a gauge', BODY, metric('FlashBladeSessions', 'StuckLeases', ...SERVICE, { stat: 'Sum' }), 'no sense'],
  [
    'a maximum of events',
    BODY,
    metric('FlashBladeSessions', 'LoginFailed', ...SERVICE, { stat: 'Maximum' }),
    'no sense',
  ],
  ['a sum of durations', BODY, metric('FlashBladeSessions', 'LoginDuration', ...SERVICE, { stat: 'Sum' }), 'no sense'],
  ['another namespace', BODY, metric('FlashBlade', 'LoginFailed', ...SERVICE, { stat: 'Sum' }), 'of the namespace'],
  ['no dimension', BODY, metric('FlashBladeSessions', 'LoginFailed', { stat: 'Sum' }), 'dimension service'],
  [
    'a queue that does not exist',
    BODY,
    metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'QueueName', sub('<Queue.QueueName>'), { stat: 'Maximum' }),
    'with the dimensions',
  ],
  [
    'a search without a stage',
    BODY,
    search('{FlashBladeSessions,service,array} MetricName="LiveLeases"'),
    'of the namespace',
  ],
  [
    'a search for a metric that no array has',
    BODY,
    search('{FlashBladeSessions,service,array} service="flashblade-sessions-test" MetricName="OldestDueAge"'),
    'with the dimensions',
  ],
  ['a log query without all log groups', BODY, log(sub("SOURCE '<LoginGroup>' | filter level = 'WARN'")), 'logs'],
  [
    'a log query that counts failures twice',
    BODY,
    log("filter level = 'WARN' | stats count(*)"),
    'counts failures twice',
  ],
  ['a field that no log line has', BODY, log('stats count(*) by errorCode'), 'no log line has errorCode'],
  ['an alarm that is missing from the dashboard', ['NoSweepAlarm'], GONE, 'Dashboard: alarms'],
  [
    'a text without a link to the runbook',
    BODY,
    '{ "widgets": [{ "type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": { "markdown": "hello" } }] }',
    'link the runbook',
  ],
  [
    'overlapping widgets',
    BODY,
    '{ "widgets": [{ "type": "alarm", "x": 0, "y": 0, "width": 3, "height": 3 }, { "type": "alarm", "x": 2, "y": 2, "width": 3, "height": 3 }] }',
    'lies over',
  ],
];
