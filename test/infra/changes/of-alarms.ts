/** Changes that the checks of alarms and dashboard must refuse. */
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
  ["a metric that only arrays' own have", [...STUCK, 'MetricName'], 'ArrayHealthy', 'nobody emits'],
  ['a wrong namespace', [...STUCK, 'Namespace'], 'FlashbladeSessions', 'nobody emits'],
  ['another stage', [...STUCK, 'Dimensions', 0, 'Value'], 'flashblade-sessions-prod', 'dimension service'],
  ['a wrong dimension', [...STUCK, 'Dimensions', 0, 'Name'], 'Service', 'dimension service'],
  ['one dimension more', [...STUCK, 'Dimensions', 1], { Name: 'function', Value: 'x' }, 'with the dimensions'],
  [
    'an event per array that is counted in all only',
    [...NO_SWEEP, 'Dimensions', 1],
    { Name: 'array', Value: 'x' },
    'with the',
  ],
  ['a sum of a gauge', [...STUCK, 'Statistic'], 'Sum', 'makes no sense'],
  ['an average of events', [...ALTERED, 'Statistic'], 'Average', 'makes no sense'],
  ['the longest-lived certificate', [...CERTIFICATE, 'Statistic'], 'Maximum', 'makes no sense'],
  ['no statistic', [...STUCK, 'Statistic'], GONE, 'no statistic'],
  ['a unit that nobody emits', [...STUCK, 'Unit'], 'Seconds', 'unit'],
  ['an alarm without action', [...STUCK, 'AlarmActions'], GONE, 'StuckSessionsAlarm: tells'],
  [
    'an alarm that tells somebody else',
    [...STUCK, 'AlarmActions', 0, 'Ref'],
    'OtherTopic',
    'StuckSessionsAlarm: tells',
  ],
  ['an alarm that is off', [...STUCK, 'ActionsEnabled'], false, 'is on'],
  ['an end that nobody is told of', [...STUCK, 'OKActions'], GONE, 'tells of the end'],
  ['an attack that is over', [...ALTERED, 'OKActions'], [{ Ref: 'AlarmTopic' }], 'tells of the end'],
  ['a silent sweep that counts as well', [...NO_SWEEP, 'TreatMissingData'], GONE, 'what is missing'],
  ['a silent check that counts as well', [...NO_CHECK, 'TreatMissingData'], 'notBreaching', 'what is missing'],
  ['letters that are forgotten', [...LETTERS, 'TreatMissingData'], 'notBreaching', 'what is missing'],
  ['no threshold', [...STUCK, 'Threshold'], GONE, 'no threshold'],
  ['a comparison turned round', [...CERTIFICATE, 'ComparisonOperator'], 'GreaterThanThreshold', 'compares'],
  ['more points than periods', [...ALTERED, 'DatapointsToAlarm'], 2, 'never has'],
  ['a window of eight days', [...NO_CHECK, 'EvaluationPeriods'], 192, 'looks at'],
  ['a window shorter than two checks', [...NO_CHECK, 'Period'], 600, 'too few'],
  ['a name without the stack', [...STUCK, 'AlarmName'], 'stuck-sessions', 'its name'],
  ['no description', [...STUCK, 'AlarmDescription'], GONE, 'what it means'],
  [
    'a section that the runbook lacks',
    [...STUCK, 'AlarmDescription'],
    'Something is wrong somewhere. docs/operations.md#stuck-session',
    'no section stuck-session',
  ],
  ['an error that no alarm is for', ['SuspectSessionAlarm'], GONE, 'watches SuspectRecorded'],
  ['an error that another alarm was for', ['StuckSessionsAlarm'], GONE, 'watches StuckLeases'],
  ['a queue that nobody watches', ['FailedInvocationsAlarm'], GONE, 'FailedInvocationQueue'],
  ['a function that nobody watches', ['LogoutThrottlesAlarm'], GONE, 'Throttles of LogoutLambdaFunction'],
  ['a function that is not there', [...THROTTLES, 'Dimensions', 0, 'Value', 'Ref'], 'LoginFunction', 'with the dim'],
  ['a metric that Lambda has not', [...THROTTLES, 'MetricName'], 'Throttle', 'nobody emits'],
  ['a misspelt id in an expression', [...LOGIN, 'Metrics', 1, 'Id'], 'error', 'uses'],
  ['two results of an expression', [...LOGIN, 'Metrics', 1, 'ReturnData'], GONE, 'results'],
  ['a key that CloudWatch may not use', ['AlarmTopic', 'Properties', 'KmsMasterKeyId'], 'alias/aws/sns', 'AlarmTopic'],
  ['a topic for anybody', [...PUBLISH, 'Principal'], '*', 'topic policies'],
  ['a topic for alarms of other accounts', [...PUBLISH, 'Condition', 'StringEquals'], GONE, 'topic policies'],
  ['a topic for other stacks', [...PUBLISH, 'Condition', 'ArnLike'], GONE, 'topic policies'],
  [
    'a topic that anybody may subscribe',
    [...STATEMENT, 1],
    { Effect: 'Allow', Principal: '*', Action: 'sns:Subscribe' },
    'topic',
  ],
];

const BODY = ['Dashboard', 'Properties', 'DashboardBody', 'Fn::Sub'];
const widget = (properties: object, place: object = {}): string =>
  JSON.stringify({
    widgets: [
      {
        type: 'metric',
        ...{ x: 0, y: 0, width: 6, height: 6 },
        ...place,
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
  ['no JSON', BODY, '{ "widgets": [', 'no JSON'],
  ['a name that another region has', ['Dashboard', 'Properties', 'DashboardName'], { Ref: 'AWS::StackName' }, 'name'],
  ['a widget beside the grid', BODY, widget({}, { x: 20 }), 'not on the grid'],
  ['another region', BODY, widget({ region: sub('<AWS::Partition>') }), 'it: region'],
  ['a region by name', BODY, widget({ region: 'eu-west-1' }), 'account or a region'],
  ['an account', BODY, widget({ accountId: '123456789012' }), 'account or a region'],
  ['a widget that shows nothing', BODY, widget({}), 'shows nothing'],
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
    'a queue that is not there',
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
    'a search of what no array has',
    BODY,
    search('{FlashBladeSessions,service,array} service="flashblade-sessions-test" MetricName="OldestDueAge"'),
    'with the dimensions',
  ],
  ['a log without its group', BODY, log(sub("SOURCE '<LoginGroup>' | filter level = 'WARN'")), 'logs'],
  ['lines that Lambda itself writes', BODY, log("filter level = 'WARN' | stats count(*)"), 'counts failures twice'],
  ['a field that no line has', BODY, log('stats count(*) by errorCode'), 'no log line has errorCode'],
  ['an alarm that it does not show', ['NoSweepAlarm'], GONE, 'Dashboard: alarms'],
  [
    'a text without the runbook',
    BODY,
    '{ "widgets": [{ "type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": { "markdown": "hello" } }] }',
    'link the runbook',
  ],
  [
    'widgets on each other',
    BODY,
    '{ "widgets": [{ "type": "alarm", "x": 0, "y": 0, "width": 3, "height": 3 }, { "type": "alarm", "x": 2, "y": 2, "width": 3, "height": 3 }] }',
    'lies over',
  ],
];
