/**
 * The alarms as CloudFormation resources. Each description ends with a link to the runbook section that says what to do. There are no
 * alarms per array, because the template does not list the arrays. The dashboard and the logs show which array is affected.
 */
const { logicalId, oslsId } = require('./names.cjs');

const NOTIFY = [{ Ref: 'AlarmTopic' }];

/** A value that is measured at irregular intervals. The alarm keeps its state until the next measurement. */
const GAUGE = { TreatMissingData: 'ignore', OKActions: NOTIFY };
/** An incident. The alarm sends no OK notification, because the incident still needs attention. */
const EVENT = { TreatMissingData: 'notBreaching' };
/** Something that must happen regularly. Missing data means a failure. */
const HEARTBEAT = { TreatMissingData: 'breaching', OKActions: NOTIFY };
/** Activity that AWS measures. Missing data means no activity. */
const ACTIVITY = { TreatMissingData: 'notBreaching', OKActions: NOTIFY };

const above = (value) => ({ ComparisonOperator: 'GreaterThanThreshold', Threshold: value });
const below = (value) => ({ ComparisonOperator: 'LessThanThreshold', Threshold: value });

const fleet = (metric) => ({
  Namespace: '${self:custom.metrics.namespace}',
  MetricName: metric,
  Dimensions: [{ Name: 'service', Value: '${self:custom.metrics.service}' }],
});
const queue = (id, metric) => ({
  Namespace: 'AWS/SQS',
  MetricName: metric,
  Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }],
});
/** Without an index, the metric counts the table's own requests only. */
const table = (metric, index) => ({
  Namespace: 'AWS/DynamoDB',
  MetricName: metric,
  Dimensions: [
    { Name: 'TableName', Value: { Ref: 'LeaseTable' } },
    ...(index === undefined ? [] : [{ Name: 'GlobalSecondaryIndexName', Value: index }]),
  ],
});
const states = (id, metric) => ({
  Namespace: 'AWS/States',
  MetricName: metric,
  Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: id } }],
});
const lambda = (name, metric) => ({
  Namespace: 'AWS/Lambda',
  MetricName: metric,
  Dimensions: [{ Name: 'FunctionName', Value: { Ref: `${oslsId(name)}LambdaFunction` } }],
});

// biome-ignore format: a table
const ALARMS = {
  // Measured by every sweep, once a minute.
  'stuck-sessions': { AlarmDescription: 'Sessions could not be closed after six tries.',
    ...fleet('StuckLeases'), Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'overdue-sessions': { AlarmDescription: 'A session should have been closed more than 15 minutes ago.',
    ...fleet('OldestDueAge'), Statistic: 'Maximum', Period: 300, ...above(900), EvaluationPeriods: 2, ...GAUGE },
  'no-sweep': { AlarmDescription: 'No sweep has finished in the last five minutes, so expired sessions stay open.',
    ...fleet('SweepDone'), Statistic: 'Sum', Period: 60, ...below(1), EvaluationPeriods: 5, ...HEARTBEAT },
  // The next sweep retries failed work, so a single failure raises no alarm.
  'sweep-failed': { AlarmDescription: "Part of the sweeper's work keeps failing.",
    ...fleet('SweepFailed'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 2, ...EVENT },

  // Each of these incidents needs attention, even if it happens only once.
  'altered-lease': { AlarmDescription: 'A sealed token could not be unsealed, because a ledger item was changed or copied.',
    ...fleet('LeaseAltered'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },
  'suspect-session': { AlarmDescription: 'The outcome of a login is unknown. The array may have a session that cannot be closed.',
    ...fleet('SuspectRecorded'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },
  'ledger-write-failed': { AlarmDescription: 'The ledger could not be updated after a login or logout.',
    ...fleet('LedgerWriteFailed'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },

  // Measured by every fleet check. At the default rate, at least one check runs in each 30-minute period.
  'unhealthy-arrays': { AlarmDescription: 'At least one array failed the fleet check.',
    ...fleet('UnhealthyArrays'), Statistic: 'Maximum', Period: 1800, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'unknown-sessions': { AlarmDescription: "Another program or person is using an array's API token.",
    ...fleet('UnknownSessions'), Statistic: 'Maximum', Period: 1800, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'certificate-ends': { AlarmDescription: 'A certificate expires in less than 21 days.',
    ...fleet('CertificateDays'), Statistic: 'Minimum', Period: 1800, ...below(21), EvaluationPeriods: 1, ...GAUGE },
  'api-token-ends': { AlarmDescription: 'An API token expires in less than 14 days.',
    ...fleet('ApiTokenDays'), Statistic: 'Minimum', Period: 1800, ...below(14), EvaluationPeriods: 1, ...GAUGE },
  // A check that runs out of time now and then is no problem, because the next one begins elsewhere. Two such hours are one.
  'unchecked-arrays': { AlarmDescription: 'Some arrays have not been checked for hours, so nothing is known about them.',
    ...fleet('UncheckedArrays'), Statistic: 'Maximum', Period: 3600, ...above(0), EvaluationPeriods: '${param:checkAlarmHours}',
    DatapointsToAlarm: 2, ...GAUGE },
  'fleet-check-failed': { AlarmDescription: 'A check of the whole fleet failed or took too long.',
    Metrics: [
      { Id: 'ended', Label: 'failed or timed out', Expression: 'FILL(failed, 0) + FILL(late, 0)' },
      { Id: 'failed', ReturnData: false, MetricStat: { Metric: states('FleetCheck', 'ExecutionsFailed'), Stat: 'Sum', Period: 300 } },
      { Id: 'late', ReturnData: false, MetricStat: { Metric: states('FleetCheck', 'ExecutionsTimedOut'), Stat: 'Sum', Period: 300 } },
    ], ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...ACTIVITY },
  'no-fleet-check': { AlarmDescription: 'No fleet check has finished in the last ${param:checkAlarmHours} hours.',
    ...fleet('FleetChecked'), Statistic: 'Sum', Period: 3600, ...below(1), EvaluationPeriods: '${param:checkAlarmHours}', ...HEARTBEAT },

  // SQS stops reporting metrics for a queue after six idle hours, even if messages remain. A gauge alarm keeps its state.
  'failed-events': { AlarmDescription: 'Events failed permanently, or could not be delivered.',
    ...queue('FailedEventQueue', 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'dead-letters': { AlarmDescription: 'Events failed five times. The dead-letter queue keeps them.',
    ...queue('DeadLetterQueue', 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'failed-invocations': { AlarmDescription: 'Asynchronous or scheduled invocations failed permanently.',
    ...queue('FailedInvocationQueue', 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  // A message that fails five times waits half an hour before it moves to the dead-letter queue. SQS's age metric ignores messages that
  // were received three times, so the function itself reports messages that keep failing.
  'delayed-requests': { AlarmDescription: 'A session request keeps failing, and is more than 15 minutes old.',
    ...fleet('RequestDelayed'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },
  'waiting-requests': { AlarmDescription: 'A session request has been waiting for more than 15 minutes.',
    ...queue('RequestQueue', 'ApproximateAgeOfOldestMessage'),
    Statistic: 'Maximum', Period: 300, ...above(900), EvaluationPeriods: 1, ...ACTIVITY },
};

// biome-ignore format: a table
const when = {
  // These functions also report refusals (a wrong name, an ended lease, an array that is down) as errors, so a few errors are normal.
  mostFail: (name) => ({ AlarmDescription: 'More than half of the invocations failed, with at least five failures in five minutes.',
    Metrics: [
      { Id: 'failed', Label: 'failed, percent', Expression: 'IF(errors >= 5, 100 * errors / invocations, 0)' },
      { Id: 'errors', ReturnData: false, MetricStat: { Metric: lambda(name, 'Errors'), Stat: 'Sum', Period: 300 } },
      { Id: 'invocations', ReturnData: false, MetricStat: { Metric: lambda(name, 'Invocations'), Stat: 'Sum', Period: 300 } },
    ], ...above(50), EvaluationPeriods: 2, ...ACTIVITY }),
  // These functions do not report refusals as errors, so every error is a fault. After one error, the next batch, sweep or try follows.
  keepsFailing: (name) => ({ AlarmDescription: 'Invocations keep failing.',
    ...lambda(name, 'Errors'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 2, ...ACTIVITY }),
  // Requires 15 minutes of continuous throttling, because callers recover from a short burst by retrying.
  throttled: (name) => ({ AlarmDescription: 'Lambda has throttled invocations for 15 minutes, because no concurrency is available.',
    ...lambda(name, 'Throttles'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 3, ...ACTIVITY }),
};
/** If DynamoDB throttles writes to an index, it also rejects writes to the table. A short burst raises no alarm, because callers retry. */
const THROTTLED = [
  ['table-writes', 'WriteThrottleEvents'],
  ['table-reads', 'ReadThrottleEvents'],
  ['due-writes', 'WriteThrottleEvents', 'due'],
  ['due-reads', 'ReadThrottleEvents', 'due'],
  ['owner-writes', 'WriteThrottleEvents', 'owner'],
  ['owner-reads', 'ReadThrottleEvents', 'owner'],
];
const ledgerThrottled = ([name, metric, index]) =>
  alarm(
    `${name}-throttled`,
    {
      AlarmDescription: 'DynamoDB keeps throttling the lease table or one of its indexes.',
      ...{ ...table(metric, index), Statistic: 'Sum', Period: 300, ...above(0) },
      ...{ EvaluationPeriods: 3, DatapointsToAlarm: 2, ...ACTIVITY },
    },
    'ledger-throttled',
  );

const ON_ERRORS = {
  login: when.mostFail,
  logout: when.mostFail,
  'call-array': when.mostFail,
  renew: when.mostFail,
  'session-events': when.keepsFailing,
  'sweep-sessions': when.keepsFailing,
  'check-fleet': when.keepsFailing,
};

const alarm = (name, { AlarmDescription, ...properties }, section = name) => ({
  [`${logicalId(name)}Alarm`]: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: { 'Fn::Sub': `\${AWS::StackName}-${name}` },
      AlarmDescription: `${AlarmDescription} \${param:runbook}#${section}`,
      ...properties,
      AlarmActions: NOTIFY,
    },
  },
});

exports.Resources = Object.assign(
  ...Object.entries(ALARMS).map(([name, properties]) => alarm(name, properties)),
  ...Object.entries(ON_ERRORS).map(([name, errors]) => alarm(`${name}-errors`, errors(name), 'function-errors')),
  ...THROTTLED.map(ledgerThrottled),
  ...Object.keys(ON_ERRORS).map((name) => alarm(`${name}-throttles`, when.throttled(name), 'function-throttles')),
);
