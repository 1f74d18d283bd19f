/** The schedules of the sweep and the fleet check. */
import type { Template } from '../../../kit/packaged.ts';
import { arn, at, GONE, idsOf } from '../template.ts';
import { must, only, type Rule, rule } from './rule.ts';

const SCHEDULE = 'AWS::Scheduler::Schedule/Properties';
const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;
const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** NaN if the schedule has no rate. */
export function minutesBetween(template: Template, schedule: string): number {
  const rate = at(template.Resources, `${schedule}/Properties/ScheduleExpression`);
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)/.exec(String(rate)) ?? [];
  return Number(count) * (MINUTES[unit] ?? Number.NaN);
}

export const SCHEDULE_RULES: Rule[] = [
  only('AWS::Scheduler::Schedule', 'SweepSchedule', 'CheckSchedule'),
  must('SweepSchedule/Properties/Target/Arn', 'SweepDashsessionsLambdaFunction.Arn', arn('LoginLambdaFunction')),
  must('CheckSchedule/Properties/Target/Arn', 'CheckDashfleetLambdaFunction.Arn', arn('LoginLambdaFunction')),
  must('SweepSchedule/Properties/Target/RoleArn', 'SweepScheduleRole.Arn', arn('SweepSessionsRole')),
  must('CheckSchedule/Properties/Target/RoleArn', 'CheckScheduleRole.Arn', arn('CheckFleetRole')),
  must(`${SCHEDULE}/Target/DeadLetterConfig/Arn`, 'FailedInvocationQueue.Arn', GONE),
  must(`${SCHEDULE}/GroupName`, 'ScheduleGroup', GONE),
  must(`${SCHEDULE}/ScheduleExpression`, RATE, 'rate(1 minutes)', 'rate(2 minute)'),
  must(`${SCHEDULE}/FlexibleTimeWindow/Mode`, 'FLEXIBLE', 'OFF'),
  // A session is closed within two minutes of its end.
  must('SweepSchedule/Properties/ScheduleExpression', 'rate(1 minute)', 'rate(1 hour)'),
  must('SweepSchedule/Properties/FlexibleTimeWindow/MaximumWindowInMinutes', 1, 5),
  rule(
    'a run that starts late in its window does not overlap the next',
    (template) =>
      idsOf(template, 'AWS::Scheduler::Schedule').flatMap((id) => {
        const window = Number(at(template.Resources, `${id}/Properties/FlexibleTimeWindow/MaximumWindowInMinutes`));
        return window <= minutesBetween(template, id) ? [] : [`${id}: has a window of ${window} minutes`];
      }),
    ['a longer window', 'CheckSchedule/Properties/FlexibleTimeWindow/MaximumWindowInMinutes', 16, 'window of 16 min'],
  ),
  rule(
    'a sweep takes less than a minute, so that it never meets the next but one',
    ({ Resources }) => {
      const seconds = Number(at(Resources, 'SweepDashsessionsLambdaFunction/Properties/Timeout'));
      return seconds < 60 ? [] : [`a sweep may take ${seconds} s`];
    },
    ['a sweep of a minute', 'SweepDashsessionsLambdaFunction/Properties/Timeout', 60],
  ),
  rule(
    'a failed start is repeated at most twice, within five minutes',
    (template) =>
      idsOf(template, 'AWS::Scheduler::Schedule').flatMap((id) => {
        const retry = at(template.Resources, `${id}/Properties/Target/RetryPolicy`);
        const attempts = Number(at(retry, 'MaximumRetryAttempts'));
        const age = Number(at(retry, 'MaximumEventAgeInSeconds'));
        return attempts <= 2 && age >= 60 && age <= 300 ? [] : [`${id}: is repeated ${attempts} times in ${age} s`];
      }),
    ['the default of 185 retries in a day', `${SCHEDULE}/Target/RetryPolicy`, GONE],
  ),
];
