/** Changes that the checks of functions, table and schedules must detect. */
import { type Change, GONE } from './change.ts';

const LOGIN = ['LoginLambdaFunction', 'Properties'];
const VARIABLES = [...LOGIN, 'Environment', 'Variables'];
const SWEEP = ['SweepDashsessionsLambdaFunction', 'Properties'];
const TABLE = ['LeaseTable', 'Properties'];
const SCHEDULE = ['SweepSchedule', 'Properties'];
const CHECK = ['CheckSchedule', 'Properties'];

export const OF_FUNCTIONS: Change[] = [
  ['a time-out above the limit of Lambda', [...LOGIN, 'Timeout'], 901, 'time-out'],
  ['no time-out', [...LOGIN, 'Timeout'], GONE, 'time-out'],
  ['an old runtime', [...LOGIN, 'Runtime'], 'nodejs20.x', 'runtime'],
  ['another processor', [...LOGIN, 'Architectures'], ['x86_64'], 'architectures'],
  ['too little memory', [...LOGIN, 'MemorySize'], 128, 'memory'],
  ['a wrong handler', [...LOGIN, 'Handler'], 'dist/functions/logn.handler', 'handler'],
  ["another function's handler", [...LOGIN, 'Handler'], 'dist/functions/logout.handler', 'handler'],
  ['logs in text format', [...LOGIN, 'LoggingConfig'], GONE, 'log format'],
  ['a shared role', [...LOGIN, 'Role', 'Fn::GetAtt', 0], 'LogoutRole', 'shares'],
  ['a role from outside the template', [...LOGIN, 'Role'], 'arn:aws:iam::1:role/admin', 'not in the template'],
  ['no log group', ['LoginLogGroup'], GONE, 'no log group'],
  ['logs without a retention time', ['LoginLogGroup', 'Properties', 'RetentionInDays'], GONE, 'for ever'],
  ['a variable named like a token', [...VARIABLES, 'API_TOKEN'], 'x', 'API_TOKEN'],
  ['a variable with a value like a token', [...VARIABLES, 'X'], 'T-0b1c2d3e-4f', 'variable X'],
  ['ALLOWED_CALLS for login', [...VARIABLES, 'ALLOWED_CALLS'], 'GET /api/**', 'its own variables'],
  ['a reserved concurrency of one for sweeps', [...SWEEP, 'ReservedConcurrentExecutions'], 1, 'reserved concurrency'],
  ['a reserved concurrency of one for logins', [...LOGIN, 'ReservedConcurrentExecutions'], 1, 'reserved concurrency'],
  ['an unknown function', ['OtherLambdaFunction'], { Type: 'AWS::Lambda::Function', Properties: {} }, 'other'],
  ['a missing function', ['RenewLambdaFunction'], GONE, 'functions must be'],
];

export const OF_PLACES: Change[] = [
  ['a hard-coded account', [...VARIABLES, 'X'], 'arn:aws:s3:x:123456789012:y', 'LoginLambdaFunction'],
  ['a hard-coded region', [...VARIABLES, 'X'], 'eu-west-1', 'LoginLambdaFunction'],
];

export const OF_TABLE: Change[] = [
  ['a missing table', ['LeaseTable'], GONE, 'one table'],
  ['a table with a fixed throughput', [...TABLE, 'BillingMode'], 'PROVISIONED', 'billing'],
  ['no point-in-time recovery', [...TABLE, 'PointInTimeRecoverySpecification'], GONE, 'recovery'],
  ['a table without deletion protection', [...TABLE, 'DeletionProtectionEnabled'], false, 'protection'],
  ['no encryption', [...TABLE, 'SSESpecification'], GONE, 'encryption'],
  ['a purge by another attribute', [...TABLE, 'TimeToLiveSpecification', 'AttributeName'], 'dueAt', 'purge'],
  ['a table that is deleted with the stack', ['LeaseTable', 'DeletionPolicy'], GONE, 'with the stack'],
  ['another key', [...TABLE, 'KeySchema', 0, 'AttributeName'], 'leaseId', 'key'],
  ['a missing index', [...TABLE, 'GlobalSecondaryIndexes', 1], GONE, 'indexes'],
  [
    'an index without lease states',
    [...TABLE, 'GlobalSecondaryIndexes', 0, 'Projection', 'NonKeyAttributes'],
    ['array'],
    'holds',
  ],
  ['an index of whole items', [...TABLE, 'GlobalSecondaryIndexes', 1, 'Projection', 'ProjectionType'], 'ALL', 'holds'],
];

export const OF_SCHEDULES: Change[] = [
  ['the rate "1 minutes"', [...CHECK, 'ScheduleExpression'], 'rate(1 minutes)', 'no rate'],
  ['the rate "2 minute"', [...CHECK, 'ScheduleExpression'], 'rate(2 minute)', 'no rate'],
  ['a sweep every hour', [...SCHEDULE, 'ScheduleExpression'], 'rate(1 hour)', 'SweepSchedule: rate'],
  ['a sweep without a flexible window', [...SCHEDULE, 'FlexibleTimeWindow'], { Mode: 'OFF' }, 'SweepSchedule: window'],
  [
    'a sweep with a window that is too long',
    [...SCHEDULE, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'],
    5,
    'minutes of its window',
  ],
  [
    'a fleet check that can overlap the next',
    [...CHECK, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'],
    16,
    'window of 16 min',
  ],
  ['sweeps that can overlap twice', [...SWEEP, 'Timeout'], 60, 'meets the next but one'],
  ['a schedule in the default group', [...SCHEDULE, 'GroupName'], GONE, 'group'],
  ['a schedule without a dead-letter queue', [...SCHEDULE, 'Target', 'DeadLetterConfig'], GONE, 'what failed goes'],
  ['the default of 185 retries in a day', [...SCHEDULE, 'Target', 'RetryPolicy'], GONE, 'is repeated'],
  ['a missing sweep schedule', ['SweepSchedule'], GONE, 'what is scheduled'],
];
