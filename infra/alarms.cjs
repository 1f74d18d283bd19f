/**
 * The alarms as CloudFormation resources. Each description ends with a link to a section of the runbook, which says what to do. There
 * is no alarm per array, because the template does not know the arrays: the dashboard and the logs show which one is affected.
 */
const { logicalId, oslsId } = require('./names.cjs');

const NOTIFY = [{ Ref: 'AlarmTopic' }];

/** A value with irregular measurements: the alarm keeps its state until the next one. */
const GAUGE = { TreatMissingData: 'ignore', OKActions: NOTIFY };
/** An incident. There is no notification when it stops, because it still needs attention. */
const EVENT = { TreatMissingData: 'notBreaching' };
/** Something that must happen regularly: missing data is the failure. */
const HEARTBEAT = { TreatMissingData: 'breaching', OKActions: NOTIFY };
/** Activity that AWS measures: missing data means that there was no activity. */
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
  'no-sweep': { AlarmDescription: 'No sweep has finished for five minutes, so expired sessions stay open.',
    ...fleet('SweepDone'), Statistic: 'Sum', Period: 60, ...below(1), EvaluationPeriods: 5, ...HEARTBEAT },
  // The next sweep retries what failed, so one failure raises no alarm.
  'sweep-failed': { AlarmDescription: 'The sweeper keeps failing at part of its work.',
    ...fleet('SweepFailed'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 2, ...EVENT },

  // A single event of these needs attention.
  'altered-lease': { AlarmDescription: 'A sealed token could not be unsealed: an item of the ledger was changed or copied.',
    ...fleet('LeaseAltered'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },
  'suspect-session': { AlarmDescription: 'The outcome of a login is unknown: the array may have a session that cannot be closed.',
    ...fleet('SuspectRecorded'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },
  'ledger-write-failed': { AlarmDescription: 'The ledger could not be updated after a login or logout.',
    ...fleet('LedgerWriteFailed'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...EVENT },

  // Measured by every fleet check. At the default rate, half an hour contains at least one check.
  'unhealthy-arrays': { AlarmDescription: 'At least one array does not open and close sessions.',
    ...fleet('UnhealthyArrays'), Statistic: 'Maximum', Period: 1800, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'unknown-sessions': { AlarmDescription: 'Another program or person uses the API token of an array.',
    ...fleet('UnknownSessions'), Statistic: 'Maximum', Period: 1800, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'certificate-ends': { AlarmDescription: 'A certificate expires in less than 21 days.',
    ...fleet('CertificateDays'), Statistic: 'Minimum', Period: 1800, ...below(21), EvaluationPeriods: 1, ...GAUGE },
  'api-token-ends': { AlarmDescription: 'An API token expires in less than 14 days.',
    ...fleet('ApiTokenDays'), Statistic: 'Minimum', Period: 1800, ...below(14), EvaluationPeriods: 1, ...GAUGE },
  'no-fleet-check': { AlarmDescription: 'No fleet check has finished for ${param:checkAlarmHours} hours.',
    ...fleet('FleetChecked'), Statistic: 'Sum', Period: 3600, ...below(1), EvaluationPeriods: '${param:checkAlarmHours}', ...HEARTBEAT },

  // SQS stops measuring a queue that is unused for six hours, even if it holds messages. A gauge keeps its alarm.
  'dead-letters': { AlarmDescription: 'The dead-letter queue contains messages that could not be processed.',
    ...queue('DeadLetterQueue', 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  'failed-invocations': { AlarmDescription: 'Asynchronous invocations or schedules failed permanently.',
    ...queue('FailedInvocationQueue', 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum', Period: 300, ...above(0), EvaluationPeriods: 1, ...GAUGE },
  // A message that fails five times waits for half an hour before it goes to the dead-letter queue.
  'waiting-requests': { AlarmDescription: 'A request for a session has been waiting for more than 15 minutes.',
    ...queue('RequestQueue', 'ApproximateAgeOfOldestMessage'),
    Statistic: 'Maximum', Period: 300, ...above(900), EvaluationPeriods: 1, ...ACTIVITY },
};

// biome-ignore format: a table
const when = {
  // A refusal (a wrong name, an ended lease, an array that is down) also counts as an error of these functions: a few are normal.
  mostFail: (name) => ({ AlarmDescription: 'More than half of the invocations failed, at least five in five minutes.',
    Metrics: [
      { Id: 'failed', Label: 'failed, percent', Expression: 'IF(errors >= 5, 100 * errors / invocations, 0)' },
      { Id: 'errors', ReturnData: false, MetricStat: { Metric: lambda(name, 'Errors'), Stat: 'Sum', Period: 300 } },
      { Id: 'invocations', ReturnData: false, MetricStat: { Metric: lambda(name, 'Invocations'), Stat: 'Sum', Period: 300 } },
    ], ...above(50), EvaluationPeriods: 2, ...ACTIVITY }),
  // These functions refuse nothing, so every error is a fault. The next batch or sweep retries a single one.
  keepsFailing: (name) => ({ AlarmDescription: 'Invocations keep failing.',
    ...lambda(name, 'Errors'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 2, ...ACTIVITY }),
  // The fleet check refuses nothing either, and the next check may be hours away.
  checkFails: (name) => ({ AlarmDescription: 'A fleet check failed completely.',
    ...lambda(name, 'Errors'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 1, DatapointsToAlarm: 1, ...ACTIVITY }),
  // For 15 minutes without a pause, because callers retry after a short burst.
  throttled: (name) => ({ AlarmDescription: 'Lambda has throttled invocations for 15 minutes, because no concurrency is left.',
    ...lambda(name, 'Throttles'), Statistic: 'Sum', Period: 300, ...above(0), EvaluationPeriods: 3, DatapointsToAlarm: 3, ...ACTIVITY }),
};
const ON_ERRORS = {
  login: when.mostFail,
  logout: when.mostFail,
  'call-array': when.mostFail,
  renew: when.mostFail,
  'session-events': when.keepsFailing,
  'sweep-sessions': when.keepsFailing,
  'check-fleet': when.checkFails,
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
  ...Object.keys(ON_ERRORS).map((name) => alarm(`${name}-throttles`, when.throttled(name), 'function-throttles')),
);
