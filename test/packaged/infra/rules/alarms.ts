/** The alarms, and the topic that they notify. */
import { EVENTS } from '../../../../lib/core/reports.ts';
import { METRICS } from '../../../../lib/lambda/metrics.ts';
import { FUNCTIONS, logicalIdOf, type Template } from '../../../kit/packaged.ts';
import { headings } from '../runbook.ts';
import { at, differs, GONE, idsOf, list, render, sub } from '../template.ts';
import { metricFaults, type Watched } from './metrics.ts';
import { type Faults, must, mustAll, only, type Rule, rule } from './rule.ts';
import { minutesBetween } from './schedules.ts';

/** Error events that another metric covers: a gauge that stays up as long as the error lasts. */
const COVERED_BY: Readonly<Record<string, string>> = { LeaseStuck: 'StuckLeases', ArrayUnhealthy: 'UnhealthyArrays' };
/** Scheduled events. Their alarm goes off when they stop. */
const HEARTBEATS = ['SweepDone', 'FleetChecked'];
const DAY_SECONDS = 86_400;
const NOTIFY = [{ Ref: 'AlarmTopic' }];

const ALARM = 'AWS::CloudWatch::Alarm/Properties';
const STUCK = 'StuckSessionsAlarm/Properties';
const NO_SWEEP = 'NoSweepAlarm/Properties';
const ALTERED = 'AlteredLeaseAlarm/Properties';
const CERTIFICATE = 'CertificateEndsAlarm/Properties';
const NO_CHECK = 'NoFleetCheckAlarm/Properties';
const LETTERS = 'DeadLettersAlarm/Properties';
const LOGIN = 'LoginErrorsAlarm/Properties';
const THROTTLES = 'LoginThrottlesAlarm/Properties';
const DUE_WRITES = 'DueWritesThrottledAlarm/Properties';
const PUBLISHING = 'AlarmTopicPolicy/Properties/PolicyDocument/Statement';
const PUBLISH = `${PUBLISHING}/FromTheAlarms`;
const OUR_ALARMS = 'arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:<AWS::StackName>-*';

export const alarmsOf = (template: Template) =>
  idsOf(template, 'AWS::CloudWatch::Alarm').map((id) => [id, template.Resources[id]?.Properties ?? {}] as const);

/** The metrics that an alarm watches: one, or those of its expression. */
export function watchedBy(alarm: unknown): Watched[] {
  const one = {
    Metric: alarm,
    Stat: at(alarm, 'Statistic') ?? at(alarm, 'ExtendedStatistic'),
    Unit: at(alarm, 'Unit'),
  };
  const stats = list(at(alarm, 'Metrics')).flatMap((each) => at(each, 'MetricStat') ?? []);
  return (at(alarm, 'Metrics') === GONE ? [one] : stats).map((stat) => ({
    namespace: String(at(stat, 'Metric/Namespace')),
    name: String(at(stat, 'Metric/MetricName')),
    dimensions: Object.fromEntries(
      list(at(stat, 'Metric/Dimensions')).map((each) => [String(at(each, 'Name')), render(at(each, 'Value'))]),
    ),
    statistic: String(at(stat, 'Stat') ?? ''),
    unit: at(stat, 'Unit'),
  }));
}

/** What an alarm watches decides what missing data means to it, and whether it notifies when it ends. */
const KINDS = {
  heartbeat: { missing: 'breaching', atEnd: NOTIFY },
  gauge: { missing: 'ignore', atEnd: NOTIFY },
  // What happened still needs attention when it stops.
  event: { missing: 'notBreaching', atEnd: GONE },
  activity: { missing: 'notBreaching', atEnd: NOTIFY },
};

function kindOf(alarm: unknown): keyof typeof KINDS {
  const names = watchedBy(alarm).map(({ name }) => name);
  if (names.some((name) => HEARTBEATS.includes(name))) return 'heartbeat';
  // SQS stops measuring an unused queue, even if it holds messages.
  if (names.includes('ApproximateNumberOfMessagesVisible')) return 'gauge';
  const kinds = names.map((name) => METRICS.get(name)?.kind);
  return kinds.includes('gauge') ? 'gauge' : kinds.includes('event') ? 'event' : 'activity';
}

/** Faults of each alarm. */
const eachAlarm = (faults: (alarm: unknown, id: string, template: Template) => Faults) => (template: Template) =>
  alarmsOf(template).map(([id, alarm]) => faults(alarm, id, template));

/** Everything that must have an alarm: a metric of the fleet, or of a resource. */
const NEEDED: readonly string[] = [
  ...Object.entries(EVENTS).flatMap(([name, level]) => (level === 'error' ? [COVERED_BY[name] ?? name] : [])),
  ...HEARTBEATS,
  ...FUNCTIONS.map(logicalIdOf).flatMap((id) => [`Errors of ${id}`, `Throttles of ${id}`]),
  'ApproximateNumberOfMessagesVisible of FailedEventQueue.QueueName',
  // A fault that no other event or heartbeat shows: the check finishes, but never reaches some arrays.
  'UncheckedArrays',
  'ExecutionsFailed of FleetCheck',
  'ExecutionsTimedOut of FleetCheck',
  'ApproximateNumberOfMessagesVisible of DeadLetterQueue.QueueName',
  'ApproximateNumberOfMessagesVisible of FailedInvocationQueue.QueueName',
  'ApproximateAgeOfOldestMessage of RequestQueue.QueueName',
  // A full index rejects writes to the table.
  ...['LeaseTable', 'due', 'owner'].flatMap((of) => [`ReadThrottleEvents of ${of}`, `WriteThrottleEvents of ${of}`]),
  'RequestDelayed',
];

export const ALARM_RULES: Rule[] = [
  must(`${ALARM}/AlarmName`, /^<StackName>-[a-z-]+$/, 'stuck-sessions'),
  // What it means, and a link to what to do.
  must(`${ALARM}/AlarmDescription`, /^.{21,} \S+#[\w-]+$/, GONE),
  ...mustAll(ALARM, { AlarmActions: NOTIFY, ActionsEnabled: GONE }),
  must(`${ALARM}/Threshold`, /^\d+$/, GONE),
  rule(
    'every alarm links to a section of the runbook',
    eachAlarm((alarm, id) => {
      const section = String(at(alarm, 'AlarmDescription')).replace(/^.*#/, '');
      return !headings().has(section) && `${id}: the runbook has no section ${section}`;
    }),
    ['a misspelt section', `${STUCK}/AlarmDescription`, 'Something is wrong. docs/operations.md#stuck-session'],
  ),
  rule(
    'every alarm watches metrics that exist, by a statistic that makes sense for them',
    eachAlarm((alarm, id, template) => watchedBy(alarm).map((metric) => metricFaults(template, id, metric))),
    ['a misspelt metric', `${STUCK}/MetricName`, 'StuckLeasse', 'nobody emits'],
    ['a metric that exists only per array', `${STUCK}/MetricName`, 'ArrayHealthy', 'nobody emits'],
    ['a wrong namespace', `${STUCK}/Namespace`, 'FlashbladeSessions', 'nobody emits'],
    ['another stage', `${STUCK}/Dimensions/0/Value`, 'flashblade-sessions-prod', 'dimension service'],
    ['a wrong dimension', `${STUCK}/Dimensions/0/Name`, 'Service', 'dimension service'],
    ['an extra dimension', `${STUCK}/Dimensions/+`, { Name: 'function', Value: 'x' }, 'with the dimensions'],
    ['an array, for a metric of the fleet', `${NO_SWEEP}/Dimensions/+`, { Name: 'array', Value: 'x' }, 'with the dim'],
    ['a sum of a gauge', `${STUCK}/Statistic`, 'Sum', 'makes no sense'],
    ['an average of events', `${ALTERED}/Statistic`, 'Average', 'makes no sense'],
    ['a maximum of certificate days', `${CERTIFICATE}/Statistic`, 'Maximum', 'makes no sense'],
    ['no statistic', `${STUCK}/Statistic`, GONE, 'no statistic'],
    ['a wrong unit', `${STUCK}/Unit`, 'Seconds', 'unit'],
    ['a function that does not exist', `${THROTTLES}/Dimensions/0/Value/Ref`, 'LoginFunction', 'with the dimensions'],
    ['an index that does not exist', `${DUE_WRITES}/Dimensions/1/Value`, 'dues', 'with the dimensions'],
    ['an index without its table', `${DUE_WRITES}/Dimensions/0`, GONE, 'with the dimensions'],
    [
      'a metric that DynamoDB emits only per operation',
      `${DUE_WRITES}/MetricName`,
      'ThrottledRequests',
      'nobody emits',
    ],
    ['a metric that Lambda does not emit', `${THROTTLES}/MetricName`, 'Throttle', 'nobody emits'],
  ),
  rule(
    'every alarm notifies when it ends, except those on an event',
    eachAlarm((alarm, id) => differs(id, at(alarm, 'OKActions'), KINDS[kindOf(alarm)].atEnd)),
    ['no notification of the end', `${STUCK}/OKActions`, GONE],
    ['a notification of the end of an event', `${ALTERED}/OKActions`, NOTIFY],
  ),
  rule(
    'missing data is a failure for a heartbeat, keeps the state of a gauge, and is good otherwise',
    eachAlarm((alarm, id) => differs(id, at(alarm, 'TreatMissingData'), KINDS[kindOf(alarm)].missing)),
    ['a missing sweep that counts as success', `${NO_SWEEP}/TreatMissingData`, GONE],
    ['a missing fleet check that counts as success', `${NO_CHECK}/TreatMissingData`, 'notBreaching'],
    ['dead letters that are forgotten', `${LETTERS}/TreatMissingData`, 'notBreaching'],
  ),
  rule(
    'only a minimum or a heartbeat raises its alarm when it is too low',
    eachAlarm((alarm, id) => {
      const low = kindOf(alarm) === 'heartbeat' || watchedBy(alarm).some(({ statistic }) => statistic === 'Minimum');
      return differs(id, at(alarm, 'ComparisonOperator'), low ? 'LessThanThreshold' : 'GreaterThanThreshold');
    }),
    ['a reversed comparison', `${CERTIFICATE}/ComparisonOperator`, 'GreaterThanThreshold'],
  ),
  rule(
    'every alarm has periods that CloudWatch accepts, and can go off',
    eachAlarm((alarm, id) => {
      const [stat] = list(at(alarm, 'Metrics')).flatMap((one) => at(one, 'MetricStat/Period') ?? []);
      const period = Number(at(alarm, 'Period') ?? stat);
      const periods = Number(at(alarm, 'EvaluationPeriods'));
      const points = Number(at(alarm, 'DatapointsToAlarm') ?? periods);
      const longest = period >= 3600 ? 7 * DAY_SECONDS : DAY_SECONDS;
      return [
        !(period % 60 === 0 && period > 0) && `${id}: a period of ${period} s`,
        !(periods >= 1 && period * periods <= longest) && `${id}: looks at ${periods} periods`,
        !(points >= 1 && points <= periods) && `${id}: never has ${points} of ${periods} periods`,
      ];
    }),
    ['half a minute', `${ALTERED}/Period`, 30, 'a period of 30 s'],
    ['more points than periods', `${ALTERED}/DatapointsToAlarm`, 2, 'never has'],
    ['a window of eight days', `${NO_CHECK}/EvaluationPeriods`, 192, 'looks at'],
  ),
  rule(
    'an expression has one result, and uses exactly the metrics that are listed',
    eachAlarm((alarm, id) => {
      const metrics = list(at(alarm, 'Metrics'));
      if (metrics.length === 0) return undefined;
      const results = metrics.filter((one) => at(one, 'ReturnData') !== false);
      const used = new Set(String(at(results[0], 'Expression')).match(/[a-z]\w*/g));
      const given = metrics.filter((one) => at(one, 'MetricStat') !== GONE).map((one) => at(one, 'Id'));
      return [differs(`${id}: results`, results.length, 1), differs(`${id}: uses`, [...used].sort(), given.sort())];
    }),
    ['a misspelt id', `${LOGIN}/Metrics/1/Id`, 'error', 'uses'],
    ['two results', `${LOGIN}/Metrics/1/ReturnData`, GONE, 'results'],
  ),
  rule(
    'an alarm watches every error, heartbeat, function, queue, table and index',
    (template) => {
      const watched = alarmsOf(template)
        .flatMap(([, alarm]) => watchedBy(alarm))
        .flatMap(({ name, dimensions }) => [name, `${name} of ${Object.values(dimensions).at(-1)}`]);
      return NEEDED.map((name) => !watched.includes(name) && `no alarm watches ${name}`);
    },
    ['an error without an alarm', 'SuspectSessionAlarm', GONE, 'watches SuspectRecorded'],
    ['an error whose alarm is removed', 'StuckSessionsAlarm', GONE, 'watches StuckLeases'],
    ['a queue without an alarm', 'FailedInvocationsAlarm', GONE, 'FailedInvocationQueue'],
    ['an index without a throttle alarm', 'DueWritesThrottledAlarm', GONE, 'WriteThrottleEvents of due'],
    ['a table without a throttle alarm', 'TableWritesThrottledAlarm', GONE, 'WriteThrottleEvents of LeaseTable'],
    ['letters without an alarm', 'FailedEventsAlarm', GONE, 'FailedEventQueue'],
    ['messages that SQS leaves out of the age', 'DelayedRequestsAlarm', GONE, 'RequestDelayed'],
    ['a fleet check that fails unnoticed', 'FleetCheckFailedAlarm', GONE, 'ExecutionsTimedOut of FleetCheck'],
    ['arrays that are never checked', 'UncheckedArraysAlarm', GONE, 'watches UncheckedArrays'],
    ['a function without a throttle alarm', 'LogoutThrottlesAlarm', GONE, 'Throttles of LogoutLambdaFunction'],
  ),
  rule(
    'one check that does not reach every array raises no alarm, and many do within the hours of no-fleet-check',
    ({ Resources }) => [
      differs('points', at(Resources, 'UncheckedArraysAlarm/Properties/DatapointsToAlarm'), 2),
      differs('period', at(Resources, 'UncheckedArraysAlarm/Properties/Period'), 3600),
      differs(
        'periods',
        String(at(Resources, 'UncheckedArraysAlarm/Properties/EvaluationPeriods')),
        String(at(Resources, `${NO_CHECK}/EvaluationPeriods`)),
      ),
    ],
    ['an alarm after one check', 'UncheckedArraysAlarm/Properties/DatapointsToAlarm', 1],
    ['an alarm after many checks', 'UncheckedArraysAlarm/Properties/EvaluationPeriods', 24],
  ),
  rule(
    'the alarm no-fleet-check goes off only after two missing checks',
    (template) => {
      const numberAt = (field: string) => Number(at(template.Resources, `${NO_CHECK}/${field}`));
      const minutes = (numberAt('Period') * numberAt('EvaluationPeriods')) / 60;
      return !(minutes >= 2 * minutesBetween(template, 'CheckSchedule')) && `${minutes} minutes are too few`;
    },
    ['a shorter window', `${NO_CHECK}/Period`, 600],
  ),
  only('AWS::SNS::Topic', 'AlarmTopic'),
  // CloudWatch may not use AWS's own key.
  must('AlarmTopic/Properties/KmsMasterKeyId', GONE),
  only('AWS::SNS::TopicPolicy', 'AlarmTopicPolicy'),
  must('AlarmTopicPolicy/Properties/Topics', NOTIFY),
  rule(
    'only alarms of this stack may publish to the topic',
    ({ Resources }) =>
      differs('topic policy', at(Resources, PUBLISHING), [
        {
          Sid: 'FromTheAlarms',
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: { Ref: 'AlarmTopic' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
            ArnLike: { 'aws:SourceArn': { 'Fn::Sub': sub(OUR_ALARMS) } },
          },
        },
      ]),
    ['any publisher', `${PUBLISH}/Principal`, '*'],
    ['alarms of other accounts', `${PUBLISH}/Condition/StringEquals`, GONE],
    ['alarms of other stacks', `${PUBLISH}/Condition/ArnLike`, GONE],
    ['any subscriber', `${PUBLISHING}/+`, { Effect: 'Allow', Principal: '*', Action: 'sns:Subscribe' }],
  ),
];
