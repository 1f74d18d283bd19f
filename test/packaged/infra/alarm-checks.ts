/** Checks the alarms and the topic that they notify. */
import { EVENTS } from '../../../lib/core/reports.ts';
import { METRICS } from '../../../lib/lambda/metrics.ts';
import { metricFaults, type Watched } from './measured.ts';
import { headings } from './runbook.ts';
import { at, differs, type Json, list, type Resource, render, resourcesOf, sub, type Template } from './template.ts';

/** Error events that another metric covers: a gauge that stays up as long as the error lasts. */
const COVERED_BY: Readonly<Record<string, string>> = { LeaseStuck: 'StuckLeases', ArrayUnhealthy: 'UnhealthyArrays' };
/** Scheduled events. Their alarm goes off when they stop. */
const HEARTBEATS = ['SweepDone', 'FleetChecked'];
const DAY_SECONDS = 86_400;

export const alarmFaults = (template: Template): string[] => [
  ...alarmsOf(template).flatMap(([id, { Properties }]) => [
    ...notificationFaults(id, Properties),
    ...conditionFaults(id, Properties),
    ...watchedBy(Properties).flatMap((metric) => metricFaults(template, id, metric)),
  ]),
  ...coverageFaults(template),
  ...checkWindowFaults(template),
  ...topicFaults(template),
];

export const alarmsOf = (template: Template): [string, Resource][] => resourcesOf(template, 'AWS::CloudWatch::Alarm');

/** The metrics that an alarm watches: one, or those of its expression. */
export const watchedBy = (alarm: Json): Watched[] => {
  const stats = list(at(alarm, 'Metrics')).flatMap((one) => at(one, 'MetricStat') ?? []);
  const one = (metric: Json, statistic: Json | undefined): Watched => ({
    namespace: String(at(metric, 'Namespace')),
    name: String(at(metric, 'MetricName')),
    dimensions: Object.fromEntries(
      list(at(metric, 'Dimensions')).map((each) => [String(at(each, 'Name')), render(at(each, 'Value'))]),
    ),
    statistic: String(statistic ?? ''),
    ...(at(metric, 'Unit') === undefined ? {} : { unit: String(at(metric, 'Unit')) }),
  });
  return at(alarm, 'Metrics') === undefined
    ? [one(alarm, at(alarm, 'Statistic') ?? at(alarm, 'ExtendedStatistic'))]
    : stats.map((stat) => one(at(stat, 'Metric') ?? {}, at(stat, 'Stat')));
};

const isOwn = (alarm: Json, kind: 'event' | 'gauge'): boolean =>
  watchedBy(alarm).some(({ name }) => METRICS.get(name)?.kind === kind);
const isHeartbeat = (alarm: Json): boolean => watchedBy(alarm).some(({ name }) => HEARTBEATS.includes(name));

/** Name, description, runbook section and notified topic. */
const notificationFaults = (id: string, alarm: Json): string[] => {
  const [, text = '', section = ''] = /^(.+) \S+#([\w-]+)$/.exec(String(at(alarm, 'AlarmDescription') ?? '')) ?? [];
  const notify = [{ Ref: 'AlarmTopic' }];
  const once = isOwn(alarm, 'event') && !isHeartbeat(alarm);
  return [
    ...(/^<StackName>-[a-z-]+$/.test(render(at(alarm, 'AlarmName'))) ? [] : [`${id}: its name is not the stack's`]),
    ...(text.length > 20 ? [] : [`${id}: does not say what it means`]),
    ...(headings().has(section) ? [] : [`${id}: the runbook has no section ${section}`]),
    ...differs(`${id}: tells`, at(alarm, 'AlarmActions') ?? [], notify),
    ...differs(`${id}: tells of the end`, at(alarm, 'OKActions') ?? [], once ? [] : notify),
    ...differs(`${id}: is on`, at(alarm, 'ActionsEnabled') ?? true, true),
  ];
};

/** The condition under which the alarm goes off. */
const conditionFaults = (id: string, alarm: Json): string[] => {
  const stats = list(at(alarm, 'Metrics')).map((one) => at(one, 'MetricStat', 'Period'));
  const period = Number(at(alarm, 'Period') ?? stats.find((one) => one !== undefined));
  const periods = Number(at(alarm, 'EvaluationPeriods'));
  const points = Number(at(alarm, 'DatapointsToAlarm') ?? periods);
  const longest = period >= 3600 ? 7 * DAY_SECONDS : DAY_SECONDS;
  const lowest = watchedBy(alarm).some(({ statistic }) => statistic === 'Minimum') || isHeartbeat(alarm);
  return [
    ...(typeof at(alarm, 'Threshold') === 'number' ? [] : [`${id}: has no threshold`]),
    ...(period % 60 === 0 && period > 0 ? [] : [`${id}: a period of ${period} s`]),
    ...(periods >= 1 && period * periods <= longest ? [] : [`${id}: looks at ${periods} periods`]),
    ...(points >= 1 && points <= periods ? [] : [`${id}: never has ${points} of ${periods} periods`]),
    ...differs(
      `${id}: compares`,
      at(alarm, 'ComparisonOperator'),
      lowest ? 'LessThanThreshold' : 'GreaterThanThreshold',
    ),
    ...differs(`${id}: what is missing counts as`, at(alarm, 'TreatMissingData') ?? null, missing(alarm)),
    ...expressionFaults(id, list(at(alarm, 'Metrics'))),
  ];
};

const missing = (alarm: Json): string => {
  if (isHeartbeat(alarm)) return 'breaching';
  const holdsMessages = watchedBy(alarm).some(({ name }) => name === 'ApproximateNumberOfMessagesVisible');
  return isOwn(alarm, 'gauge') || holdsMessages ? 'ignore' : 'notBreaching';
};

/** Exactly one expression returns the result, and it uses exactly the listed metrics. */
const expressionFaults = (id: string, metrics: Json[]): string[] => {
  if (metrics.length === 0) return [];
  const results = metrics.filter((one) => at(one, 'ReturnData') !== false);
  const used = String(at(results[0], 'Expression')).match(/[a-z]\w*/g) ?? [];
  const given = metrics.filter((one) => at(one, 'MetricStat') !== undefined).map((one) => String(at(one, 'Id')));
  return [
    ...differs(`${id}: results`, results.length, 1),
    ...differs(`${id}: uses`, [...new Set(used)].sort(), given.sort()),
  ];
};

/** Everything that must have an alarm. */
const coverageFaults = (template: Template): string[] => {
  const watched = alarmsOf(template).flatMap(([, { Properties }]) => watchedBy(Properties));
  const isWatched = (name: string, dimension?: string): boolean =>
    watched.some((one) => one.name === name && (dimension === undefined || dimensionsOf(one).includes(dimension)));
  const errors = Object.entries(EVENTS).flatMap(([name, level]) => (level === 'error' ? [name] : []));
  const functions = resourcesOf(template, 'AWS::Lambda::Function').map(([id]) => id);
  const needed: [string, string?][] = [
    ...[...errors.map((name) => COVERED_BY[name] ?? name), ...HEARTBEATS].map((name): [string] => [name]),
    ...functions.flatMap((id): [string, string][] => [
      ['Errors', id],
      ['Throttles', id],
    ]),
    ['ApproximateNumberOfMessagesVisible', 'DeadLetterQueue.QueueName'],
    ['ApproximateNumberOfMessagesVisible', 'FailedInvocationQueue.QueueName'],
    ['ApproximateAgeOfOldestMessage', 'RequestQueue.QueueName'],
  ];
  return needed
    .filter(([name, dimension]) => !isWatched(name, dimension))
    .map(([name, dimension = 'the fleet']) => `no alarm watches ${name} of ${dimension}`);
};

const dimensionsOf = ({ dimensions }: Watched): string[] => Object.values(dimensions);

const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** The alarm may go off only after two missing checks. */
const checkWindowFaults = (template: Template): string[] => {
  const rate = String(at(template.Resources['CheckSchedule']?.Properties, 'ScheduleExpression'));
  const [, count = '', unit = ''] = /^rate\((\d+) (\w+?)s?\)$/.exec(rate) ?? [];
  const alarm = template.Resources['NoFleetCheckAlarm']?.Properties;
  const minutes = (Number(at(alarm, 'Period')) * Number(at(alarm, 'EvaluationPeriods'))) / 60;
  return minutes >= 2 * Number(count) * (MINUTES[unit] ?? Number.NaN)
    ? []
    : [`NoFleetCheckAlarm: ${minutes} minutes are too few for ${rate}`];
};

/** The topic policy lets only alarms of this stack publish. */
const topicFaults = (template: Template): string[] => {
  const policies = resourcesOf(template, 'AWS::SNS::TopicPolicy').flatMap(([, { Properties }]) => [
    ...list(at(Properties, 'Topics')),
    ...list(at(Properties, 'PolicyDocument', 'Statement')),
  ]);
  const alarms = sub('arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:<AWS::StackName>-*');
  return [
    ...differs('topics', Object.keys(Object.fromEntries(resourcesOf(template, 'AWS::SNS::Topic'))), ['AlarmTopic']),
    ...differs(
      'AlarmTopic: a key that CloudWatch may not use',
      at(template.Resources['AlarmTopic'], 'Properties', 'KmsMasterKeyId') ?? null,
      null,
    ),
    ...differs('topic policies', policies, [
      { Ref: 'AlarmTopic' },
      {
        Sid: 'FromTheAlarms',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: 'AlarmTopic' },
        Condition: {
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          ArnLike: { 'aws:SourceArn': { 'Fn::Sub': alarms } },
        },
      },
    ]),
  ];
};
