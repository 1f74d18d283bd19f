/** Checks the schedules. */
import { at, differs, functionName, render, resourcesOf, type Template, target } from './template.ts';

const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;

export const scheduleFaults = (template: Template): string[] => [
  ...resourcesOf(template, 'AWS::Scheduler::Schedule').flatMap(([id, { Properties: of }]) => {
    const rate = String(at(of, 'ScheduleExpression'));
    const window = Number(at(of, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'));
    const attempts = Number(at(of, 'Target', 'RetryPolicy', 'MaximumRetryAttempts'));
    const age = Number(at(of, 'Target', 'RetryPolicy', 'MaximumEventAgeInSeconds'));
    return [
      ...(RATE.test(rate) ? [] : [`${id}: ${rate} is no rate`]),
      ...differs(`${id}: window`, at(of, 'FlexibleTimeWindow', 'Mode'), 'FLEXIBLE'),
      ...(window <= minutesOf(rate) ? [] : [`${id}: a window of ${window} minutes, ${rate}`]),
      ...differs(`${id}: group`, at(of, 'GroupName'), { Ref: 'ScheduleGroup' }),
      ...differs(
        `${id}: what failed goes`,
        render(at(of, 'Target', 'DeadLetterConfig', 'Arn')),
        'FailedInvocationQueue.Arn',
      ),
      ...(attempts <= 2 && age >= 60 && age <= 300 ? [] : [`${id}: is repeated ${attempts} times in ${age} s`]),
    ];
  }),
  ...sweepFaults(template),
  ...differs('what is scheduled', scheduled(template), ['check-fleet', 'sweep-sessions']),
];

const minutesOf = (rate: string): number => {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)/.exec(rate) ?? [];
  return Number(count) * Number({ minute: 1, hour: 60, day: 1440 }[unit]);
};

const scheduled = (template: Template): string[] =>
  resourcesOf(template, 'AWS::Scheduler::Schedule')
    .map(([, { Properties }]) => functionName(target(at(Properties, 'Target', 'Arn'))))
    .sort();

/** A sweep runs about every minute, so that a session is closed within two minutes of its end, and takes less than a minute. */
const sweepFaults = (template: Template): string[] => {
  const schedule = template.Resources['SweepSchedule']?.Properties;
  const timeout = Number(at(template.Resources['SweepDashsessionsLambdaFunction']?.Properties, 'Timeout'));
  return [
    ...differs('SweepSchedule: rate', at(schedule, 'ScheduleExpression'), 'rate(1 minute)'),
    ...differs('SweepSchedule: minutes of its window', at(schedule, 'FlexibleTimeWindow', 'MaximumWindowInMinutes'), 1),
    ...(timeout < 60 ? [] : [`SweepSchedule: a sweep of ${timeout} s meets the next but one`]),
  ];
};
