/** The schedules of the sweep and the fleet check. */
import type { Template } from '../../../kit/packaged.ts';
import { at, GONE, idsOf } from '../template.ts';
import { type Faults, must, mustAll, only, type Rule, rule } from './rule.ts';

const SCHEDULE = 'AWS::Scheduler::Schedule/Properties';
const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;
const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** NaN if the schedule has no rate. */
export function minutesBetween(template: Template, schedule: string): number {
  const rate = at(template.Resources, `${schedule}/Properties/ScheduleExpression`);
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)/.exec(String(rate)) ?? [];
  return Number(count) * (MINUTES[unit] ?? Number.NaN);
}

const eachSchedule = (faults: (schedule: unknown, id: string, template: Template) => Faults) => (template: Template) =>
  idsOf(template, 'AWS::Scheduler::Schedule').map((id) => faults(template.Resources[id]?.Properties, id, template));

export const SCHEDULE_RULES: Rule[] = [
  only('AWS::Scheduler::Schedule', 'SweepSchedule', 'CheckSchedule'),
  ...mustAll('SweepSchedule/Properties', {
    'Target/Arn': 'SweepDashsessionsLambdaFunction.Arn',
    'Target/RoleArn': 'SweepScheduleRole.Arn',
    // A session is closed within two minutes of its end.
    ScheduleExpression: 'rate(1 minute)',
    'FlexibleTimeWindow/MaximumWindowInMinutes': 1,
  }),
  ...mustAll('CheckSchedule/Properties', {
    // Step Functions, not Lambda: the machine retries, and divides a fleet of any size.
    'Target/Arn': 'FleetCheck',
    'Target/RoleArn': 'CheckScheduleRole.Arn',
  }),
  ...mustAll(SCHEDULE, {
    'Target/DeadLetterConfig/Arn': 'FailedInvocationQueue.Arn',
    GroupName: 'ScheduleGroup',
    'FlexibleTimeWindow/Mode': 'FLEXIBLE',
  }),
  must(`${SCHEDULE}/ScheduleExpression`, RATE, 'rate(1 minutes)', 'rate(2 minute)'),
  rule(
    'a run that starts late in its window does not overlap the next',
    eachSchedule((schedule, id, template) => {
      const window = Number(at(schedule, 'FlexibleTimeWindow/MaximumWindowInMinutes'));
      return !(window <= minutesBetween(template, id)) && `${id}: has a window of ${window} minutes`;
    }),
    ['a longer window', 'CheckSchedule/Properties/FlexibleTimeWindow/MaximumWindowInMinutes', 16, 'window of 16 min'],
  ),
  rule(
    'a sweep takes less than a minute, so that it never meets the next but one',
    ({ Resources }) => {
      const seconds = Number(at(Resources, 'SweepDashsessionsLambdaFunction/Properties/Timeout'));
      return !(seconds < 60) && `a sweep may take ${seconds} s`;
    },
    ['a sweep of a minute', 'SweepDashsessionsLambdaFunction/Properties/Timeout', 60],
  ),
  rule(
    'a failed start is repeated at most twice, within five minutes',
    eachSchedule((schedule, id) => {
      const attempts = Number(at(schedule, 'Target/RetryPolicy/MaximumRetryAttempts'));
      const age = Number(at(schedule, 'Target/RetryPolicy/MaximumEventAgeInSeconds'));
      const isBounded = attempts <= 2 && age >= 60 && age <= 300;
      return !isBounded && `${id}: is repeated ${attempts} times in ${age} s`;
    }),
    ['the default of 185 retries in a day', `${SCHEDULE}/Target/RetryPolicy`, GONE],
  ),
];
