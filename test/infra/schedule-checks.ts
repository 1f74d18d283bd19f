/** What runs by the clock. */
import { at, differs, functionName, render, resourcesOf, type Template, target } from './template.ts';

const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;

export const scheduleFaults = (template: Template): string[] => [
  ...resourcesOf(template, 'AWS::Scheduler::Schedule').flatMap(([id, { Properties: of }]) => {
    const rate = String(at(of, 'ScheduleExpression'));
    const attempts = Number(at(of, 'Target', 'RetryPolicy', 'MaximumRetryAttempts'));
    const age = Number(at(of, 'Target', 'RetryPolicy', 'MaximumEventAgeInSeconds'));
    return [
      ...(RATE.test(rate) ? [] : [`${id}: ${rate} is no rate`]),
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

const scheduled = (template: Template): string[] =>
  resourcesOf(template, 'AWS::Scheduler::Schedule')
    .map(([, { Properties }]) => functionName(target(at(Properties, 'Target', 'Arn'))))
    .sort();

/** Every minute, and a sweep has ended before the next one begins. */
const sweepFaults = (template: Template): string[] => {
  const schedule = template.Resources['SweepSchedule']?.Properties;
  const timeout = Number(at(template.Resources['SweepDashsessionsLambdaFunction']?.Properties, 'Timeout'));
  return [
    ...differs('SweepSchedule: rate', at(schedule, 'ScheduleExpression'), 'rate(1 minute)'),
    ...differs('SweepSchedule: window', at(schedule, 'FlexibleTimeWindow'), { Mode: 'OFF' }),
    ...(timeout < 60 ? [] : [`SweepSchedule: a sweep of ${timeout} s meets the next one`]),
  ];
};
