/** Changes that the checks of functions, table and schedules must refuse. */
import { type Change, GONE } from './change.ts';

const LOGIN = ['LoginLambdaFunction', 'Properties'];
const VARIABLES = [...LOGIN, 'Environment', 'Variables'];
const SWEEP = ['SweepDashsessionsLambdaFunction', 'Properties'];
const TABLE = ['LeaseTable', 'Properties'];
const SCHEDULE = ['SweepSchedule', 'Properties'];
const CHECK = ['CheckSchedule', 'Properties'];

export const OF_FUNCTIONS: Change[] = [
  ['a time-out longer than Lambda allows', [...LOGIN, 'Timeout'], 901, 'time-out'],
  ['no time-out', [...LOGIN, 'Timeout'], GONE, 'time-out'],
  ['an old runtime', [...LOGIN, 'Runtime'], 'nodejs20.x', 'runtime'],
  ['another processor', [...LOGIN, 'Architectures'], ['x86_64'], 'architectures'],
  ['little memory', [...LOGIN, 'MemorySize'], 128, 'memory'],
  ['a wrong handler', [...LOGIN, 'Handler'], 'dist/functions/logn.handler', 'handler'],
  ["another function's handler", [...LOGIN, 'Handler'], 'dist/functions/logout.handler', 'handler'],
  ['logs as text', [...LOGIN, 'LoggingConfig'], GONE, 'log format'],
  ['a shared role', [...LOGIN, 'Role', 'Fn::GetAtt', 0], 'LogoutRole', 'shares'],
  ['a role from elsewhere', [...LOGIN, 'Role'], 'arn:aws:iam::1:role/admin', 'not in the template'],
  ['no log group', ['LoginLogGroup'], GONE, 'no log group'],
  ['logs without end', ['LoginLogGroup', 'Properties', 'RetentionInDays'], GONE, 'for ever'],
  ['a token by name', [...VARIABLES, 'API_TOKEN'], 'x', 'API_TOKEN'],
  ['a token by look', [...VARIABLES, 'X'], 'T-0b1c2d3e-4f', 'variable X'],
  ['a list of allowed calls for login', [...VARIABLES, 'ALLOWED_CALLS'], 'GET /api/**', 'its own variables'],
  ['a sweep that waits for the one before', [...SWEEP, 'ReservedConcurrentExecutions'], 1, 'reserved concurrency'],
  ['logins one at a time', [...LOGIN, 'ReservedConcurrentExecutions'], 1, 'reserved concurrency'],
  ['a function that nobody knows', ['OtherLambdaFunction'], { Type: 'AWS::Lambda::Function', Properties: {} }, 'other'],
  ['a function that is missing', ['RenewLambdaFunction'], GONE, 'functions must be'],
];

export const OF_PLACES: Change[] = [
  ['an account', [...VARIABLES, 'X'], 'arn:aws:s3:x:123456789012:y', 'LoginLambdaFunction'],
  ['a region', [...VARIABLES, 'X'], 'eu-west-1', 'LoginLambdaFunction'],
];

export const OF_TABLE: Change[] = [
  ['no table', ['LeaseTable'], GONE, 'one table'],
  ['a table with a fixed throughput', [...TABLE, 'BillingMode'], 'PROVISIONED', 'billing'],
  ['no recovery', [...TABLE, 'PointInTimeRecoverySpecification'], GONE, 'recovery'],
  ['a table that a slip deletes', [...TABLE, 'DeletionProtectionEnabled'], false, 'protection'],
  ['no encryption', [...TABLE, 'SSESpecification'], GONE, 'encryption'],
  ['a purge by another time', [...TABLE, 'TimeToLiveSpecification', 'AttributeName'], 'dueAt', 'purge'],
  ['a table that goes with the stack', ['LeaseTable', 'DeletionPolicy'], GONE, 'with the stack'],
  ['another key', [...TABLE, 'KeySchema', 0, 'AttributeName'], 'leaseId', 'key'],
  ['a missing index', [...TABLE, 'GlobalSecondaryIndexes', 1], GONE, 'indexes'],
  [
    'an index without states',
    [...TABLE, 'GlobalSecondaryIndexes', 0, 'Projection', 'NonKeyAttributes'],
    ['array'],
    'holds',
  ],
  ['an index of whole items', [...TABLE, 'GlobalSecondaryIndexes', 1, 'Projection', 'ProjectionType'], 'ALL', 'holds'],
];

export const OF_SCHEDULES: Change[] = [
  ['a rate of one minutes', [...CHECK, 'ScheduleExpression'], 'rate(1 minutes)', 'no rate'],
  ['a rate of two minute', [...CHECK, 'ScheduleExpression'], 'rate(2 minute)', 'no rate'],
  ['a sweep every hour', [...SCHEDULE, 'ScheduleExpression'], 'rate(1 hour)', 'SweepSchedule: rate'],
  ['a sweep at one moment', [...SCHEDULE, 'FlexibleTimeWindow'], { Mode: 'OFF' }, 'SweepSchedule: window'],
  ['a sweep at any time', [...SCHEDULE, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'], 5, 'minutes of its window'],
  ['a check that meets the next', [...CHECK, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'], 16, 'window of 16 min'],
  ['three sweeps at a time', [...SWEEP, 'Timeout'], 60, 'meets the next but one'],
  ['a schedule in the default group', [...SCHEDULE, 'GroupName'], GONE, 'group'],
  ['a schedule that fails in silence', [...SCHEDULE, 'Target', 'DeadLetterConfig'], GONE, 'what failed goes'],
  ["AWS's 185 repetitions in a day", [...SCHEDULE, 'Target', 'RetryPolicy'], GONE, 'is repeated'],
  ['no sweep', ['SweepSchedule'], GONE, 'what is scheduled'],
];
